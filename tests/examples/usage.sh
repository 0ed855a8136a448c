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
    refuses $program --drain 3601
    refuses $program --drain 1.5
    refuses $program --report ''
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
for options in '--listen 203.0.113.1:0' "--report $tmp/missing/report.json"; do
    code=0
    "$programs/http_server" --listen 127.0.0.1:0 $options >"$tmp/out" 2>"$tmp/err" || code=$?
    same "exit code of http_server $options" $code 1
    contains "http_server $options" '^http_server: .*: ' "$(cat "$tmp/err")"
done

# Where io_uring is refused, the reason and the remedy.
code=0
"$tools/examples_no_uring" "$programs/http_server" --listen 127.0.0.1:0 >"$tmp/out" 2>"$tmp/err" || code=$?
if [ $code -ne 77 ]; then
    same 'exit code without io_uring' $code 1
    contains 'without io_uring' '^http_server: io_uring: .*seccomp' "$(cat "$tmp/err")"
fi
finish
