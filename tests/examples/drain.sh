#!/bin/sh
# SPDX-License-Identifier: MIT
#
# On SIGTERM and SIGINT a server ends with 0, whatever its clients do, well before its drain deadline.
. "$(dirname "$0")/lib.sh"

# hold <mode> <word> <input for printf>: a client in the background that does its worst.
hold() {
    printf "$3" >"$tmp/input"
    rm -f "$tmp/client.$1"
    $client "$1" $port <"$tmp/input" >"$tmp/client.$1" &
    others="$others $!"
    wait_for "$tmp/client.$1" "$2" || failed "client $1"
}
request='GET / HTTP/1.1\r\nHost: test\r\n\r\n'

session() {
    start http_server --drain 60
    stop
    same 'idle' $code 0

    start http_server --drain 60
    stop INT
    same 'idle, SIGINT' $code 0

    start http_server --drain 60
    hold hold sent ''
    stop
    same 'a silent client' $code 0

    start http_server --drain 60
    hold hold sent 'GET / HTTP/1.1\r\nHo'
    stop
    same 'half a request' $code 0

    start http_server --drain 4
    hold flood stuck "$request"
    stop
    same 'a client that does not read' $code 0

    start echo_server --drain 60
    hold flood stuck 'echo'
    stop
    same 'echo_server and a client that does not read' $code 0
}

each_count session
finish
