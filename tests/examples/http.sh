#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What http_server answers.
. "$(dirname "$0")/lib.sh"
status() { curl -s -m 10 -o "$tmp/body" -w '%{http_code}' "$@"; }
statuses() { tr -d '\r' | sed -n 's/^HTTP\/1.1 \([0-9]*\) .*/\1/p' | paste -sd ' ' -; }

session() {
    start http_server --report "$tmp/report.json"


    same 'a page' "$(status $url/)" 200
    contains 'a page' '<title>vigil' "$(cat "$tmp/body")"
    same 'a query' "$(status "$url/?a=b")" 200
    same 'no such page' "$(status $url/nowhere)" 404
    same 'a method' "$(status -X DELETE $url/)" 405
    same 'a small body' "$(status -d small $url/)" 405
    same 'a counter' "$(status $url/count) $(cat "$tmp/body")" '200 1'
    same 'the counter again' "$(status $url/count) $(cat "$tmp/body")" '200 2'
    same 'a sleep' "$(status $url/sleep) $(cat "$tmp/body")" '200 slept'
    same 'HTTP/1.0' "$(status -0 $url/)" 200
    same 'an upgrade that is declined' "$(status --http2 $url/)" 200

    contains 'HEAD' '^Content-Length: [1-9]' "$(curl -sI -m 10 $url/)"
    contains 'a method' '^Allow: GET, HEAD' "$(curl -si -m 10 -X PUT $url/)"
    contains 'a date' '^Date: ... .. ... .... ..:..:.. GMT' "$(curl -sI -m 10 $url/ | tr -d '\r' |
        sed 's/, [0-9]/ 1/; s/[0-9]/0/g; s/Date: \(...\) 00/Date: \1 00/')"

    # Connections are kept, and only as long as the client wants.
    same 'connections for three requests' "$(curl -s -m 10 -o /dev/null -w '%{num_connects} ' $url/ \
        -o /dev/null $url/count -o /dev/null $url/sleep)" '1 0 0 '
    contains 'the last request' '^Connection: close' "$(curl -si -m 10 -H 'Connection: close' $url/)"

    host='Host: test\r\n\r\n'
    pipeline="GET /count HTTP/1.1\r\n${host}GET /sleep HTTP/1.1\r\n${host}GET /nowhere HTTP/1.1\r\n${host}"
    last='GET / HTTP/1.1\r\nConnection: close\r\nHost: test\r\n\r\n'

    same 'a pipeline' "$(printf "$pipeline$last" | $client talk $port | statuses)" '200 200 404 200'
    same 'a pipeline, byte by byte' "$(printf "$pipeline$last" | $client drip $port | statuses)" '200 200 404 200'
    same 'a half-closed pipeline' "$(printf "$pipeline" | $client half $port | statuses)" '200 200 404'
    same 'half a request and the end' "$(printf 'GET / HTTP/1.1\r\nHos' | $client half $port | statuses)" 400
    same 'half a body and the end' "$(printf 'POST / HTTP/1.1\r\nContent-Length: 5\r\nHost: t\r\n\r\nabc' |
        $client half $port | statuses)" 400
    same 'half a pipeline and the end' "$(printf "$pipeline"'GET' | $client half $port | statuses)" '200 200 404 400'
    same 'what follows the last request' "$(printf "$last$pipeline" | $client talk $port | statuses)" 200
    same 'a body and a request' "$(printf 'POST / HTTP/1.1\r\nContent-Length: 5\r\nHost: t\r\n\r\nabcde'"$last" |
        $client talk $port | statuses)" '405 200'
    same 'a chunked body and a request' "$(printf 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: t\r\n\r\n3\r\nabc\r\n0\r\n\r\n'"$last" |
        $client talk $port | statuses)" '405 200'
    same 'an absolute target' "$(printf 'GET http://test/sleep HTTP/1.1\r\nConnection: close\r\n'"$host" |
        $client talk $port | statuses)" 200
    many=$(i=0; while [ $i -lt 1000 ]; do printf '%s' "GET / HTTP/1.1\r\n$host"; i=$((i + 1)); done)
    same 'a pipeline of a thousand' "$(printf "$many$last" | $client talk $port | statuses | wc -w)" 1001
    # Resets in the middle of a request, of a body, and of a response.
    for i in 1 2 3 4 5 6 7 8 9 10; do
        printf "$pipeline" | $client reset $port
        printf 'GET / HTTP/1.1\r\nHo' | $client reset $port
        printf 'POST / HTTP/1.1\r\nContent-Length: 5\r\nHost: t\r\n\r\nabc' | $client reset $port
    done
    printf "$pipeline" | $client cut $port || failed 'no response to reset'
    same 'after resets' "$(status $url/)" 200

    stop
    same 'exit code' $code 0
    same 'stderr' "$(cat "$tmp/err")" ''
    same 'program' "$(json "$tmp/report.json" program)" http_server
    same 'workers' "$(json "$tmp/report.json" workers)" $workers
    [ "$(json "$tmp/report.json" server requests)" -gt 200 ] || failed 'the report counts the requests'
    [ "$(json "$tmp/report.json" liveness sites 0 count)" -gt 10 ] || failed 'the report has await sites'
    same 'verdicts' "$(verdicts "$tmp/report.json")" 0
    contains 'text report' '^wake to poll' "$(cat "$tmp/out")"
}

each_count session
finish
