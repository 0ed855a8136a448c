#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each way to be stuck is reported under its name, with the place, and the end of it is told.
. "$(dirname "$0")/lib.sh"
sanitizer=${4-}

# ThreadSanitizer delivers signals when it sees fit: the stack of a poll that goes on is then none, or another one.
has_stack() {
    case $sanitizer,$1 in
    thread,blocked-worker | thread,never-yielded) return 1 ;;
    esac
}

# run <cause> <verdict> <pattern of a line>...
run() {
    cause=$1 verdict=$2
    shift 2
    code=0
    "$programs/stuck" $cause >"$tmp/out" 2>"$tmp/err" || code=$?
    same "$cause: exit code" $code 0
    contains "$cause" "^vigil: $verdict, confirmed: " "$(cat "$tmp/err")"
    contains "$cause" "^vigil: $verdict ended: " "$(cat "$tmp/err")"
    has_stack $verdict || return 0
    for pattern; do contains "$cause" "$pattern" "$(cat "$tmp/err")"; done
}

run sleep blocked-worker 'asleep in the kernel' 'look_up at examples/stuck_polls.c:[0-9]*: vg_sleep(&f->nap' \
    'sleep_in_the_kernel.* at examples/stuck_polls.c:[0-9]*$' 'every worker is blocked'
run compute blocked-worker 'computing; ' 'look_up_body.* at examples/stuck_polls.c:[0-9]*$'
run endless never-yielded 'task out.1 "hurry" has held worker' 'copy at examples/stuck_polls.c:[0-9]*'
run forget unarmed-pending 'next_event in listen at examples/stuck_wakes.c:[0-9]*: next_event(&f->event)'
run spin self-wake-spin 'borrow in user at examples/stuck_wakes.c:[0-9]*: borrow(&f->borrow)' 'tasks do the same'
run cross wait-cycle '2 tasks wait for one another, and for nothing else; 1 more' \
    'vg_lock in transfer at examples/stuck_locks.c:[0-9]*: vg_lock(&f->second' 'for mutex "alice"' 'for mutex "bob"'
finish
