#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A request must be complete in time. Out of descriptors, http_server goes on serving whom it has, does not spin, and
# accepts again when it can.
. "$(dirname "$0")/lib.sh"
descriptors=32
start http_server --workers 2 --report "$tmp/report.json"
printf 'GET / HTTP/1.1\r\nHos' | $client talk $port >"$tmp/slow" &
slow=$!
others=$slow

for round in 1 2 3; do
    same "a crowd, $round" "$($client crowd $port 60)" 'HTTP/1.1 200 OK'
    same "after the crowd, $round" "$(curl -s -m 10 -o /dev/null -w '%{http_code}' $url/)" 200
done
wait $slow || failed 'a slow request: no end'
contains 'a slow request' '^HTTP/1.1 408 ' "$(head -n 1 "$tmp/slow")"
stop
same 'exit code' $code 0
pauses=$(json "$tmp/report.json" accept_pauses)
[ "$pauses" -gt 0 ] || failed 'the server never ran out of descriptors'
[ "$pauses" -lt 1000 ] || failed "the server spins: it tried $pauses times"
finish
