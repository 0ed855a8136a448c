#!/bin/sh
# SPDX-License-Identifier: MIT
#
# echo_server sends back every byte, also of many at once, and survives resets.
. "$(dirname "$0")/lib.sh"

session() {
    start echo_server --report "$tmp/report.json"

    same 'a word' "$(printf word | $client half $port)" word
    same 'nothing' "$(printf '' | $client half $port)" ''
    head -c 100000 /dev/urandom >"$tmp/data"
    $client half $port <"$tmp/data" >"$tmp/back" || failed 'no end'
    cmp "$tmp/data" "$tmp/back" || failed '100000 bytes'
    printf word | $client reset $port
    same 'after a reset' "$(printf word | $client half $port)" word

    kill -USR1 $server
    wait_for "$tmp/out" '^wake to poll' || failed 'SIGUSR1 prints no snapshot'
    stop
    same 'exit code' $code 0
    same 'program' "$(json "$tmp/report.json" program)" echo_server
    same 'connections' "$(json "$tmp/report.json" accepted)" 5
}

each_count session
finish
