#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The echo servers that benchmarks compare send back every byte, of small messages and of such as fill all buffers; the load
# generator tells a right answer from a wrong one.
#
#     echo_references.sh <directory of the benchmarks> <of the tools> <cmake> <of the examples>
. "$(dirname "$0")/lib.sh"
load=$programs/echo_load
examples=$4
head -c 3000000 /dev/urandom >"$tmp/data"

# loaded <what> <minimum of requests> <argument>...
loaded() {
    what=$1 requests=$2
    shift 2
    "$load" --connect 127.0.0.1:$port --warm-up 0 "$@" >"$tmp/load.json" || failed "$what"
    counted=$(json "$tmp/load.json" requests)
    [ "${counted:-0}" -ge "$requests" ] || failed "$what: $counted requests"
}

# serves <how to end it> <program> [<option>...]
serves() {
    end_it=$1
    shift
    start "$@"
    loaded "$1: small" 2000 --requests 2000 --seconds 20 --pid $server
    [ "$(json "$tmp/load.json" server_ns_per_request | cut -d. -f1)" -gt 0 ] || failed "$1: uses no time"
    loaded "$1: large" 50 --connections 5 --size 200000 --requests 50 --seconds 20
    loaded "$1: for a time" 1 --seconds 0.05
    $client half $port <"$tmp/data" >"$tmp/back" || failed "$1: no end"
    cmp "$tmp/data" "$tmp/back" || failed "$1: other bytes"
    printf word | $client reset $port
    same "$1 after a reset" "$(printf word | $client half $port)" word
    $end_it
    same "exit code of $1" $code 0
}

serves end echo_oneshot
serves end echo_multishot
serves end echo_epoll
programs=$examples
serves stop echo_server
serves stop echo_server --level 0

# A server that says something else.
start http_server
code=0
"$load" --connect 127.0.0.1:$port --seconds 5 >"$tmp/out" 2>"$tmp/err" || code=$?
same 'exit code of the load on another server' $code 1
contains 'the load on another server' '^echo_load: ' "$(cat "$tmp/err")"
stop

for options in '' '--connect 1' '--connect 127.0.0.1:1 --size 0' '--connect 127.0.0.1:1 --seconds x'; do
    code=0
    "$load" $options >"$tmp/out" 2>"$tmp/err" || code=$?
    same "exit code of echo_load $options" $code 2
done
finish
