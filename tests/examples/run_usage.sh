#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ./run refuses what it does not understand before it does anything, and explains itself.
set -eu
run=$(cd "$(dirname "$0")/../.." && pwd)/run
for options in --nonsense nonsense --seconds '--seconds 0' '--seconds 601' '--seconds 5s' '--listen :80' \
    'serve --listen' 'bench --rounds' 'bench --rounds 0' 'bench --rounds 1000' 'bench --rounds 2x' '--rounds 2' --peers '--only x' 'bench --only' \
    'bench --against' 'bench --against no-such-commit' '--against HEAD' --quick; do
    code=0
    output=$("$run" $options 2>&1) || code=$?
    if [ $code -ne 2 ] || ! echo "$output" | grep -q '^usage: ./run '; then
        echo "./run $options: exit code $code: $output"
        exit 1
    fi
done
"$run" --help | grep -q '^usage: ./run '
