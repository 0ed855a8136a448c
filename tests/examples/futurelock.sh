#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The futurelock program under every policy: exit code, order, and what the instruments say of it.
. "$(dirname "$0")/lib.sh"

# run <policy> <healing> <exit code> <order> <reports>
run() {
    code=0
    report=$tmp/$1-$2.json
    "$programs/futurelock" --policy $1 --healing $2 --deadline 3000 --report "$report" \
        >"$tmp/out" 2>"$tmp/err" || code=$?
    same "$1, $2: exit code" $code $3
    contains "$1, $2" "^order: $4\$" "$(cat "$tmp/out")"
    same "$1, $2: futurelocks" "$(json "$report" liveness verdicts futurelock reported)" $5
    same "$1, $2: policy" "$(json "$report" policy)" $1
    [ $5 -gt 0 ] || same "$1, $2: stderr" "$(cat "$tmp/err")" ''
}

# The members of the first report that both modes share.
names() {
    same "$1: verdict" "$(json "$report" reports 0 verdict)" futurelock
    same "$1: frame" "$(json "$report" reports 0 starved frame)" do_thing
    same "$1: who parked it" "$(json "$report" reports 0 parent frame)" do_stuff
    same "$1: resource" "$(json "$report" reports 0 resource)" db
    contains "$1: line" 'do_thing(&f->op2' "$(json "$report" reports 0 parent expr)"
    contains "$1: text" 'PARKED' "$(cat "$tmp/err")"
}

run cancel on 0 'background op2' 0
same 'the arm that was cancelled' "$(json "$report" op1)" -125
run cancel off 0 'background op2' 0

run keep on 0 'background op1 op2' 0
same 'the arm that was kept' "$(json "$report" op1)" 0
run keep off 0 'background op1 op2' 0

run park on 0 'background op2 op1' 1
names 'healed'
same 'healed' "$(json "$report" liveness verdicts futurelock healed)" 1
contains 'healed' '^  healed after ' "$(cat "$tmp/err")"

run park off 3 'background' 1
names 'not healed'
same 'not healed' "$(json "$report" liveness verdicts futurelock active)" 1
same 'cancelled at the end' "$(json "$report" op1) $(json "$report" op2)" '-125 -125'
contains 'outcome' '^outcome: hung after ' "$(cat "$tmp/out")"

# Hung, but not for that: the deadline is too short to know.
code=0
"$programs/futurelock" --policy keep --deadline 50 >"$tmp/out" 2>"$tmp/err" || code=$?
same 'too short a deadline' $code 1
finish
