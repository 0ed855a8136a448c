#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One round of the report: everything runs, the figures are there as a table and as JSON, and the statistics of known
# measurements are right.
#
#     report_test.sh <this directory> <build directory> <cmake>
set -eu
here=$1 build=$2 cmake=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failures=0

failed() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

member() { "$cmake" -D "file=$1" -D "path=$2" -P "$here/../tests/examples/json.cmake"; }

# Median 2 of the first and 40 of the second; ratios 30, 20 and 10; a quartile lies between two rounds.
printf 'cpu some\nkernel some\ncompiler some\ncommit some\nload 0\n' >"$tmp/machine"
cat >"$tmp/data" <<END
micro 1 floor/cas 1 1 0
micro 2 floor/cas 4 4 0
micro 3 floor/cas 2 2 0
micro 1 spawn_join/1 30 31 0
micro 2 spawn_join/1 80 81 0
micro 3 spawn_join/1 40 41 0
micro 1 aa/1 10 10 0
micro 2 aa/1 10 10 0
micro 3 aa/1 10 10 0
micro 1 aa/2 30 10 0
micro 2 aa/2 10 10 0
micro 3 aa/2 20 10 0
END
awk -f "$here/report.awk" -v json="$tmp/known.json" "$tmp/machine" "$tmp/data" >"$tmp/known.txt"
grep -q 'spawn and join, 1 M in waves of 64  *40.0  *62 %  *41.0  *20.0  at most 30: met' "$tmp/known.txt" ||
    failed "known figures: $(cat "$tmp/known.txt")"
grep -q 'noise: a yield.* 2.000 *by round, quartiles: 1.500 to 2.500' "$tmp/known.txt" ||
    failed "known noise: $(cat "$tmp/known.txt")"

sh "$here/report.sh" "$build" "$tmp/out" 1 >"$tmp/screen" || failed "exit code $?"
cmp "$tmp/screen" "$tmp/out/bench.txt" || failed 'the screen and the file differ'
for what in 'compare-and-swap' 'spawn and join' 'yield, 1000' 'raw ring, multishot' 'epoll' 'watchdog' 'against the better ring'; do
    grep -q "$what" "$tmp/screen" || failed "no $what"
done
[ "$(member "$tmp/out/bench.json" rounds)" = 1 ] || failed 'no JSON'
grep -q '"name":"echo2/vigil","server_cpu_ns":[1-9]' "$tmp/out/bench.json" || failed 'no figure of the server'
echo "$failures failed"
[ $failures -eq 0 ]
