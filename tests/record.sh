#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a run of ./test has done, as Markdown: machine, commit, what tests have counted, and which took longest.
#
#     record.sh <counts> <log of ctest>
#
# <counts> has a line for each thing that a test counted (see tests/harness.h, VIGIL_RECORD). In a long run
# (VIGIL_LONG) each preset that did any of the work below must have done all of it: the exit code is 1, and the last
# lines say what is missing.
set -eu
counts=$1 log=$2
cd "$(dirname "$0")/.."

# At least, in each preset that is not instrumented; a tenth where each step takes ten times as long.
required='10000000 park/wake cycles with wakes from outside
100000 simulator seeds
100 SIGTERMs under load of 50 connections'

preset_of='function preset_of(path) { sub(/^(.*\/)?build\//, "", path); sub(/\/.*$/, "", path); return path }'

machine() {
    echo "- date: $(date -u '+%Y-%m-%d %H:%M UTC')"
    echo "- commit: $(git rev-parse HEAD 2>/dev/null || echo unknown)$(git diff --quiet HEAD 2>/dev/null || echo ', with changes')"
    echo "- machine: $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors," \
        "$(awk '/^MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo), $(uname -sr)"
    echo "- run: $([ -n "${VIGIL_LONG-}" ] && echo long || echo usual)"
    echo "- tests: $(sed -n 's/^\([0-9]*% tests passed.*\)/\1/p' "$log" | tail -n 1)"
}

# Columns of <counts>: number, what, seconds, verdict, test, program.
totals() {
    echo '| preset | count | what | tests | seconds | verdict |'
    echo '| --- | ---: | --- | ---: | ---: | --- |'
    awk -F'\t' "$preset_of"'
        {
            key = preset_of($6) "\t" $2
            n[key] += $1; tests[key]++; seconds[key] += $3
            if ($4 != "ok") failed[key] = 1
        }
        END {
            for (key in n) {
                split(key, part, "\t")
                printf "| %s | %.0f | %s | %d | %.0f | %s |\n", part[1], n[key], part[2], tests[key],
                    seconds[key], key in failed ? "FAILED" : "ok"
            }
        }' "$counts" | LC_ALL=C sort
}

each() {
    echo '| preset | test | count | what | seconds | verdict |'
    echo '| --- | --- | ---: | --- | ---: | --- |'
    awk -F'\t' "$preset_of"' { printf "| %s | %s | %s | %s | %s | %s |\n", preset_of($6), $5, $1, $2, $3, $4 }' \
        "$counts" | LC_ALL=C sort
}

slowest() {
    echo '| test | seconds | verdict |'
    echo '| --- | ---: | --- |'
    sed -n 's/^ *[0-9]*\/[0-9]* Test *#[0-9]*: \([^ ]*\) \.*\** *\([A-Za-z*]*\).* \([0-9.]*\) sec.*/\3 \1 \2/p' "$log" |
        sort -rn | head -n 20 | awk '{ printf "| %s | %s | %s |\n", $2, $1, $3 }'
}

missing() {
    printf '%s\n' "$required" | awk -F'\t' "$preset_of"'
        FNR == NR { what = $0; sub(/^[0-9]* /, "", what); least[what] = $0 + 0; next }
        $4 == "ok" && $2 in least { n[preset_of($6) "\t" $2] += $1 }
        END {
            for (key in n) {
                split(key, part, "\t")
                need = least[part[2]]
                if (part[1] ~ /san$/ && part[2] ~ /^park/) need /= 10
                if (n[key] < need)
                    printf "%s: %.0f %s instead of %.0f\n", part[1], n[key], part[2], need
            }
        }' - "$counts"
}

echo '# What was run'
echo
machine
printf '\n## Counts\n\n'
totals
printf '\n## The twenty tests that took longest\n\n'
slowest
printf '\n## Counts of each test\n\n'
each
[ -n "${VIGIL_LONG-}" ] || exit 0
short=$(missing)
[ -n "$short" ] || exit 0
printf '\n## Missing\n\n%s\n' "$short"
exit 1
