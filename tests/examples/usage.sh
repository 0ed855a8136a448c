#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The programs refuse what they do not understand with a usage line on stderr and exit code 2, and explain
# themselves with --help.
. "$(dirname "$0")/lib.sh"

refuses() {
    code=0
    "$programs/$@" >"$tmp/out" 2>"$tmp/err" </dev/null || code=$?
    same "exit code of $*" $code 2
    contains "$*" "^usage: $1 " "$(cat "$tmp/err")"
    [ ! -s "$tmp/out" ] || failed "$* prints on stdout"
}

for program in echo_server http_server; do
    refuses $program --nonsense
    refuses $program nonsense
    refuses $program --listen
    refuses $program --listen 127.0.0.1
    refuses $program --listen 127.0.0.1:65536
    refuses $program --listen 127.0.0.1:80x
    refuses $program --listen localhost:80
    refuses $program --workers 0
    refuses $program --workers 65
    refuses $program --workers -1
    refuses $program --workers 2x
    refuses $program --workers ''
    refuses $program --connections 0
    refuses $program --connections 1000001
    refuses $program --drain 3601
    refuses $program --drain 1.5
    refuses $program --report ''
    refuses $program --telemetry
    refuses $program --telemetry ''
    refuses $program --level 4
    refuses $program --level off
done
for limit in request idle send; do
    refuses http_server --$limit 0
    refuses http_server --$limit 3601
    refuses http_server --$limit 1s
    contains 'http_server --help' "^  --$limit N .*, by default [1-9]" "$("$programs/http_server" --help)"
    refuses echo_server --$limit 1
done
refuses futurelock --policy drop
refuses futurelock --healing yes
refuses futurelock --deadline 0
refuses futurelock --deadline 1s
refuses futurelock park
refuses stuck
refuses stuck asleep
refuses stuck sleep compute

for program in echo_server http_server futurelock stuck; do
    contains "$program --help" "^usage: $program " "$("$programs/$program" --help)"
done

# What is well-formed and cannot be had: exit code 1, and the reason.
for options in '--listen 203.0.113.1:0' "--report $tmp/missing/report.json" '--telemetry 0.0.0.0:0' \
    '--telemetry localhost' "--telemetry unix:$tmp/missing/socket"; do
    code=0
    "$programs/http_server" --listen 127.0.0.1:0 $options >"$tmp/out" 2>"$tmp/err" || code=$?
    same "exit code of http_server $options" $code 1
    contains "http_server $options" '^http_server: .*: ' "$(cat "$tmp/err")"
done

# Where something that they need is refused: exit code 1, the reason and the remedy, and nothing else.
#
# refused <what> <pattern>: <what> as in refuse.c. A machine where it cannot be refused says nothing either way.
refused() {
    for program in http_server echo_server; do
        code=0
        timeout 60 "$tools/examples_refuse" "$1" "$programs/$program" --workers 4 --listen 127.0.0.1:0 \
            >"$tmp/out" 2>"$tmp/err" || code=$?
        [ $code -ne 77 ] || continue
        same "exit code of $program without $1" $code 1
        contains "$program without $1" "^$program: .*$2" "$(cat "$tmp/err")"
        # A leak checker needs a thread of its own, and complains in lines that begin so.
        same "lines of $program without $1" "$(grep -vc '^==' "$tmp/err")" 1
        [ ! -s "$tmp/out" ] || failed "$program without $1 prints on stdout"
    done
}

refused eperm 'io_uring: .*seccomp.*EPERM.*Remedy: '
refused enosys 'io_uring: .*seccomp.*ENOSYS.*Remedy: '
refused threads 'threads.*Remedy: .*ulimit -u'
refused files 'no descriptor is left.*Remedy: .*ulimit -n'

# Not every kernel counts rings as locked memory. Where they are not counted the program listens until it is told
# to end.
for program in http_server echo_server; do
    code=0
    timeout -s TERM 3 "$tools/examples_refuse" memlock "$programs/$program" --workers 4 --listen 127.0.0.1:0 \
        >"$tmp/out" 2>"$tmp/err" || code=$?
    case $code in
    77) ;;
    124) contains "$program without locked memory" '^listening on ' "$(cat "$tmp/out")" ;;
    *)
        same "exit code of $program without locked memory" $code 1
        contains "$program without locked memory" \
            "^$program: io_uring: .*locked memory (0 KiB.*Remedy: .*ulimit -l" "$(cat "$tmp/err")"
        ;;
    esac
done
finish
