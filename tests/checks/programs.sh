#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The programs printed in a document compile as printed, without a warning, and link. With --run they are run, too, and
# must succeed.
#
#     programs.sh [--run] <document> <cc> <directory of libvigil.a> <include directory>...
set -eu
run=
[ "$1" != --run ] || { run=yes; shift; }
document=$1 cc=$2 lib=$3
shift 3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

flags='-std=gnu17 -O1 -Wall -Wextra -Werror'
for dir; do flags="$flags -I$dir"; done

awk -v dir="$tmp" '
    /^```c$/ { out = dir "/" ++n ".c"; print "#line", NR + 1, "\"" FILENAME "\"" > out; next }
    /^```/ { out = ""; next }
    out { print > out }
' "$document"

count=0
for program in "$tmp"/*.c; do
    grep -q '^VG_ASYNC(' "$program" || continue
    $cc $flags "$program" -o "$tmp/program" "$lib/libvigil.a" -luring -pthread
    if [ -n "$run" ]; then
        timeout 60 "$tmp/program" || {
            echo "a program of $document ends with status $?:"
            head -n 1 "$program"
            exit 1
        }
    fi
    count=$((count + 1))
done
echo "$count programs of $document compile${run:+ and run}"
[ "$count" -gt 0 ]
