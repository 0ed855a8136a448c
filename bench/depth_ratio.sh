#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whether resuming a task costs the same however deep it waits: the median of depth/64 must be at most 1.5 times that
# of depth/1. The two run interleaved, and what counts is processor time, so a busy machine does little harm; since it
# may do some, a ratio above the bound is measured again. Walking down from the root, which this is to
# catch, gives a ratio of about ten.
#
#     depth_ratio.sh <vigil_bench>
#
# Prints "<ns at depth 1> <ns at depth 64> <ratio> <bound>".
set -eu
bench=$1
bound=1.5
attempts=3

measure() {
    "$bench" --benchmark_filter='^depth/(1|64)/' --benchmark_min_time=0.05 --benchmark_repetitions=9 \
        --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true \
        --benchmark_format=csv 2>/dev/null |
        awk -F, -v bound="$bound" '
            /^"depth\/1\/.*_median"/ { one = $4 }
            /^"depth\/64\/.*_median"/ { many = $4 }
            END {
                if (!(one > 0 && many > 0)) {
                    print "no figures" >"/dev/stderr"
                    exit 2
                }
                printf "%.1f %.1f %.2f %.2f\n", one, many, many / one, bound
                exit (many > bound * one)
            }'
}

while :; do
    code=0
    result=$(measure) || code=$?
    attempts=$((attempts - 1))
    [ $code -eq 1 ] && [ $attempts -gt 0 ] || break
done
[ -z "$result" ] || echo "$result"
exit $code
