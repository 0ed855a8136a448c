#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The deadlines and limits of http_server that docs/http_server.md lists, each made short.
. "$(dirname "$0")/lib.sh"

answer() { curl -s -m 20 -o /dev/null -w '%{http_code}' $url/; }
first_line() { head -n 1 "$1" | tr -d '\r'; }

# background <client's mode> <input for printf> [<argument>]: a client whose output is in $tmp/<mode>; sets pid.
background() {
    printf "$2" >"$tmp/input.$1"
    rm -f "$tmp/$1"
    $client "$1" $port ${3-} <"$tmp/input.$1" >"$tmp/$1" 2>&1 &
    pid=$!
    others="$others $pid"
}
request='GET / HTTP/1.1\r\nHost: test\r\n\r\n'
late='HTTP/1.1 408 Request Timeout'
empty_lines=$(i=0; while [ $i -lt 100 ]; do printf '%s' '\r\n'; i=$((i + 1)); done)

descriptors_open() { ls /proc/$server/fd | wc -l; }
back_to() { [ "$(descriptors_open)" -eq "$1" ]; }

# Clients that take their time, all at once: each waits for its deadline.
deadlines() {
    start http_server --request 1 --idle 1 --send 1
    before=$(descriptors_open)
    background keep 'GET / HTTP/1.1\r\nConnection: close\r\nHost: t\r\n\r\n' && keep=$pid
    wait_for "$tmp/keep" '^served' || failed 'a client that does not close'
    background talk 'GET / HTTP/1.1\r\nHos' && half_head=$pid
    background slow "GET / HTTP/1.1\r\nX: $(head -c 300 /dev/zero | tr '\0' x)" && slow=$pid
    background starve "$request" && starve=$pid
    wait $half_head || failed 'half a request: no end'
    same 'half a request' "$(first_line "$tmp/talk")" "$late"
    wait $slow || failed 'a byte at a time: no end'
    same 'a byte at a time' "$(first_line "$tmp/slow")" "$late"
    background talk 'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc' && half_body=$pid
    background slow "$empty_lines" && blank=$pid
    background drip "$request" && idle=$pid
    wait $half_body || failed 'half a body: no end'
    same 'half a body' "$(first_line "$tmp/talk")" "$late"
    wait $blank || failed 'empty lines: no end'
    same 'empty lines' "$(cat "$tmp/slow")" ''
    wait $idle || failed 'an idle connection: no end'
    same 'an idle connection' "$(first_line "$tmp/drip")" 'HTTP/1.1 200 OK'
    background talk '' && mute=$pid
    wait $mute || failed 'a client that says nothing: no end'
    same 'a client that says nothing' "$(cat "$tmp/talk")" ''
    wait $starve || failed 'a client that does not read: no end'
    same 'a client that does not read' "$(cat "$tmp/starve")" dropped
    same 'after the deadlines' "$(answer)" 200
    until_true 20 back_to $before || failed "connections stay: $(descriptors_open) descriptors, $before before"
    kill -0 $keep || failed 'the client that does not close has ended'
    stop
    same 'exit code' $code 0
    same 'stderr' "$(cat "$tmp/err")" ''
}

# Out of descriptors, it goes on serving whom it has, does not spin, and accepts again when it can.
exhaustion() {
    descriptors=$((20 + 4 * workers))
    start http_server --report "$tmp/report.json"
    descriptors=
    background keep "$request" && kept=$pid
    wait_for "$tmp/keep" '^served' || failed 'a client before the siege'
    background siege '' 100 && siege=$pid
    wait_for "$tmp/siege" '^open' || failed 'no siege'
    kill -USR1 $kept
    wait $kept || failed 'a client during the siege: no end'
    same 'a client during the siege' "$(grep -c '^HTTP/1.1 200 ' "$tmp/keep")" 2
    kill -KILL $siege
    wait $siege 2>/dev/null || true
    same 'after the siege' "$(answer)" 200
    same 'a crowd' "$($client crowd $port 100)" 'HTTP/1.1 200 OK'
    same 'after the crowd' "$(answer)" 200
    stop
    same 'exit code' $code 0
    pauses=$(json "$tmp/report.json" accept_pauses)
    [ "$pauses" -gt 0 ] || failed 'the server never ran out of descriptors'
    [ "$pauses" -lt 2000 ] || failed "the server spins: it tried $pauses times"
}

# No more connections at once than it is told to serve; further ones are served when these end.
connections() {
    start http_server --connections 4 --idle 1 --report "$tmp/report.json"
    background siege '' 12 && siege=$pid
    wait_for "$tmp/siege" '^open' || failed 'no siege'
    same 'behind a siege' "$(answer)" 200
    same 'a crowd' "$($client crowd $port 100)" 'HTTP/1.1 200 OK'
    stop
    same 'exit code' $code 0
    most=$(json "$tmp/report.json" most_connections)
    [ "$most" -le $((4 + workers - 1)) ] || failed "$most connections at once"
    [ "$(json "$tmp/report.json" accept_full)" -gt 0 ] || failed 'the server was never full'
}

session() {
    deadlines
    exhaustion
    connections
}

each_count session
finish
