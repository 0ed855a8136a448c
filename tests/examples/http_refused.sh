#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What http_server refuses, each with its own status, after which the connection ends.
. "$(dirname "$0")/lib.sh"

# refused <what> <status> <request for printf>: the same whether it comes at once or a byte a packet.
refused() {
    for how in talk drip; do
        printf "$3" | $client $how $port >"$tmp/answer" || failed "$1, $how: the connection does not end"
        same "$1, $how" "$(tr -d '\r' <"$tmp/answer" | sed -n '1s/^HTTP\/1.1 \([0-9]*\) .*/\1/p')" "$2"
        contains "$1, $how" '^Connection: close' "$(tr -d '\r' <"$tmp/answer")"
    done
}
zeros() { head -c "$1" /dev/zero | tr '\0' "$2"; }

session() {
    start http_server
    refused 'garbage' 400 'this is not HTTP\r\n\r\n'
    refused 'binary' 400 '\001\002\003\377\r\n\r\n'
    refused 'no host' 400 'GET / HTTP/1.1\r\n\r\n'
    refused 'two hosts' 400 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'
    refused 'a field like Host' 400 'GET / HTTP/1.1\r\nHostile: a\r\nHos: b\r\n\r\n'
    refused 'a bad field' 400 'GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n'
    refused 'two lengths' 400 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'
    refused 'length and chunks' 400 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
    refused 'chunks and length' 400 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n'
    refused 'the same length twice' 400 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na'
    refused 'a signed length' 400 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na'
    refused 'a length beyond 64 bits' 400 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\na'
    refused 'a chunk beyond 64 bits' 400 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\na'
    refused 'a chunk beyond the limit' 413 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\na'
    refused 'space before the colon' 400 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\na'
    refused 'NUL in a field' 400 'GET / HTTP/1.1\r\nHost: a\r\nX: a\000b\r\n\r\n'
    refused 'CR in a field' 400 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n'
    refused 'TLS' 400 '\026\003\001\002\000\001\000'
    refused 'HTTP/2.0' 505 'GET / HTTP/2.0\r\nHost: a\r\n\r\n'
    refused 'a long target' 414 "GET /$(zeros 2000 a) HTTP/1.1\r\nHost: a\r\n\r\n"
    refused 'a long field' 431 "GET / HTTP/1.1\r\nHost: a\r\nX: $(zeros 9000 x)\r\n\r\n"
    refused 'a long body' 413 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n'
    refused 'a second request' 200 'GET / HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n'
    same 'a second request' "$(grep -c '^HTTP/1.1 400 ' "$tmp/answer")" 1

    # More than the server will ever look at: the answer must reach a client that is still sending.
    { printf 'GET / HTTP/1.1\r\nHost: a\r\n' && zeros 1048576 h; } | $client talk $port >"$tmp/answer" ||
        failed 'a megabyte of header: no end'
    contains 'a megabyte of header' '^HTTP/1.1 431 ' "$(head -n 1 "$tmp/answer")"

    same 'after all that' "$(curl -s -m 10 -o /dev/null -w '%{http_code}' $url/)" 200
    stop
    same 'exit code' $code 0
}

each_count session
finish
