#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tools around the models: failures are printed, saved and repeated, and mutants that are not found, or are no
# mutants any more, are failures.
#
#     self_test.sh <explore_litmus>
set -eu
here=$(cd "$(dirname "$0")" && pwd)
litmus=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() { echo "self test: $*" >&2; cat "$tmp/output" >&2; exit 1; }

# expect <status> <pattern of output> <command>...
expect() {
    wanted=$1 pattern=$2
    shift 2
    status=0
    "$@" >"$tmp/output" 2>&1 || status=$?
    [ $status -eq "$wanted" ] || fail "$* exits with $status, not $wanted"
    grep -q "$pattern" "$tmp/output" || fail "$* does not print '$pattern'"
}

expect 1 'FOUND race' "$litmus" --expect ok --save "$tmp/schedule" sequence_own_store
expect 1 'not ordered after thread 0' "$litmus" --expect ok sequence_own_store
expect 0 'race read by thread' "$litmus" --replay "$tmp/schedule" sequence_own_store
expect 1 'outdated: the newest is 1' "$litmus" --expect ok sb_relaxed
expect 1 'FOUND race' "$litmus" --expect lost-wake mp_relaxed_load
expect 1 'expected race' "$litmus" --expect race sb_fenced
expect 0 '1 cut at 3 steps' "$litmus" --steps 3 --max 1 --expect ok coherence
expect 0 'stopped at' "$litmus" --max 2 coherence
expect 0 'random' "$litmus" --random 100 sb_fenced
expect 1 'not a schedule' "$litmus" --replay 3=x sb_fenced
expect 2 'no such model' "$litmus" sb_nothing
expect 2 'usage:' "$litmus" --bound many
expect 2 'usage:' "$litmus" --expect anything
expect 0 'sb_fenced' "$litmus" --list

# A tree of one file, with a test that finds one mutant and not the other.
mkdir -p "$tmp/source/core" "$tmp/source/tests/core" "$tmp/tool/mutants"
cp "$here/mutate.sh" "$tmp/tool"
cat >"$tmp/source/core/twice.h" <<'END'
static int twice(int n) { return n + n; }
static int thrice(int n) { return n + n + n; }
END
cat >"$tmp/source/tests/core/test_twice.c" <<'END'
#include "twice.h"
#include <stdio.h>
int main(void) { return twice(3) == 6 && thrice(0) == 0 ? 0 : (puts("wrong"), 1); }
END
cat >"$tmp/conf" <<END
cc=cc flags= source='$tmp/source' explorer= library= build='$tmp/build' models=
END
mkdir "$tmp/build"
cat >"$tmp/build/build.ninja" <<END
rule cc
    command = cc -I$tmp/source/core -MD -MF \$out.d -c \$in -o \$out
    depfile = \$out.d
    deps = gcc
build tests/CMakeFiles/test_core_twice.dir/core/test_twice.c.o: cc $tmp/source/tests/core/test_twice.c
END
ninja -C "$tmp/build" >/dev/null
cat >"$tmp/tool/mutants/all.txt" <<'END'
mutant: found
file: core/twice.h
find: twice(int n) {
find:     return n + n; }
with: twice(int n) { return n; }
test: core/twice
dies: wrong

mutant: not_found
file: core/twice.h
find: n + n + n
with: n + n
test: core/twice
dies: wrong

mutant: dies_otherwise
file: core/twice.h
find: return n + n;
nth: 1
with: return n;
test: core/twice
dies: FOUND race

mutant: ambiguous
file: core/twice.h
find: n + n
with: n
test: core/twice
dies: wrong

mutant: gone
file: core/twice.h
find: n * 2
with: n
test: core/twice
dies: wrong
END
mutate() { sh "$tmp/tool/mutate.sh" "$tmp/conf" "$1"; }
expect 0 'mutant found dies: wrong' mutate found
expect 1 'survives' mutate not_found
expect 1 "not as 'FOUND race'" mutate dies_otherwise
expect 1 'found 2 times' mutate ambiguous
expect 1 'found 0 times' mutate gone
expect 1 'needs the fields' mutate unheard_of
