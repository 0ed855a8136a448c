#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the two compilers make of the orders that the scheduler relies on: a full fence is one instruction in place, where there is
# one in the source; what only one worker needs takes neither a fence nor a locked instruction.
#
#     fence.sh <source of the tree> <objdump> <cc>...
set -eu
root=$1 objdump=$2
shift 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cat >"$tmp/probe.c" <<'END'
#include "deque.h"
#include "idle.h"
#include "pocket.h"
#include "runq.h"

void fence(void) { vg_fence(); }
struct vg_task *deque_take(struct vg_deque *d) { return vg_deque_take_owner(d); }
struct vg_task *deque_alone(struct vg_deque *d) { return vg_deque_take_alone(d); }
struct vg_task *runq_pop(struct vg_runq *q) { return vg_runq_pop_owner(q); }
struct vg_task *runq_alone(struct vg_runq *q) { return vg_runq_pop_alone(q); }
bool runq_push(struct vg_runq *q, struct vg_task *t) { return vg_runq_push_owner(q, t); }
struct vg_task *pocket_put(struct vg_pocket *p, struct vg_task *t) { return vg_pocket_put_owner(p, t); }
struct vg_task *pocket_alone(struct vg_pocket *p) { return vg_pocket_take_alone(p); }
END

machine=$($1 -dumpmachine)
case $machine in
x86_64-*) full='lock (or|add)|mfence|xchg .*\(' locked='lock |xchg .*\(|mfence' ;;
# gcc calls a function of its own that chooses the instruction by the processor: __aarch64_cas8_acq_rel and so on.
aarch64-*) full='dmb' locked='dmb|ldaxr|stlxr|cas|swp|ldadd|__aarch64_' ;;
*) echo "no rules for $machine" && exit 77 ;;
esac

# count <function> <pattern>: how many of its instructions match.
count() {
    awk -v f="<$1>:" '$2 == f { on = 1; next } /^$/ { on = 0 } on' "$tmp/dump" | grep -cE "$2" || true
}

fail() {
    cat "$tmp/dump"
    echo "FAILED: $cc: $*"
    exit 1
}

for cc; do
    $cc -std=gnu17 -D_GNU_SOURCE -O2 -fno-stack-protector -I"$root/core" -I"$root/core/seam" \
        -I"$root/core/include" -c "$tmp/probe.c" -o "$tmp/probe.o"
    "$objdump" -d --no-show-raw-insn "$tmp/probe.o" >"$tmp/dump"
    ! grep -E '[[:space:]](call|bl)[[:space:]]' "$tmp/dump" | grep -qv '<__aarch64_' || fail 'an operation is a call'
    [ "$(count fence "$full")" -eq 1 ] || fail 'vg_fence() is not one full fence'
    [ "$(count deque_take "$full")" -ge 1 ] || fail 'the owner of the deque takes without a full fence'
    [ "$(count runq_pop "$locked")" -eq 1 ] || fail 'a pop is not one locked instruction'
    for function in deque_alone runq_alone runq_push pocket_alone; do
        [ "$(count $function "$locked")" -eq 0 ] || fail "$function needs neither fence nor locked instruction"
    done
    echo "$cc: fences are in place, and nowhere else"
done
