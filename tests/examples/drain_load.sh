#!/bin/sh
# SPDX-License-Identifier: MIT
#
# SIGTERM at a random moment under full load: the server ends with 0 before its drain deadline, says that nothing is
# left behind, and has nothing to say on stderr.
#
#     drain_load.sh <programs> <tools> <cmake> <rounds>
#
# A long run makes 100 rounds. VIGIL_SEED chooses the moments.
. "$(dirname "$0")/lib.sh"
rounds=$4
seed=${VIGIL_SEED:-1}
drain=10
[ -z "${VIGIL_LONG-}" ] || rounds=100

# The moments, in seconds after the first request was served: one in four at once, the last after 0.2 s.
moments=$(awk -v seed=$seed -v n=$rounds 'BEGIN { srand(seed); for (; n > 0; n--) print rand() < 0.25 ? 0 : rand() / 5 }')
set -- / /count /sleep
counts=$worker_counts
served=0 round=0 slowest=0

for moment in $moments; do
    round=$((round + 1))
    workers=${counts%% *} counts="${counts#* } $workers"
    path=$1
    shift && set -- "$@" $path
    start http_server --drain $drain
    wrk -t1 -c50 -d60s "$url$path" >"$tmp/wrk" 2>&1 &
    load=$!
    others=$load
    sleep $moment
    before=$(date +%s)
    stop
    took=$(($(date +%s) - before))
    kill -KILL $load 2>/dev/null || true
    wait $load 2>/dev/null || true
    others=
    same "round $round, seed $seed, $path after $moment s: exit code" $code 0
    same "round $round: stderr" "$(cat "$tmp/err")" ''
    [ $took -le $drain ] || failed "round $round: draining took $took s"
    [ $took -le $slowest ] || slowest=$took
    served=$((served + $(sed -n 's/^served \([0-9]*\) requests.*/\1/p' "$tmp/out")))
done
[ $served -gt $((rounds * 10)) ] || failed "only $served requests in $rounds rounds: that is no load"
count $rounds 'SIGTERMs under load of 50 connections'
echo "$served requests; the slowest drain took $slowest s or less than a second more"
finish
