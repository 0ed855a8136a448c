#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The C programs printed in README.md compile as printed, without a warning, and link.
#
#     readme.sh <cc> <directory of libvigil.a> <include directory>...
set -eu
cc=$1 lib=$2
shift 2
readme=$(dirname "$0")/../../README.md
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

flags='-std=gnu17 -O1 -Wall -Wextra -Werror'
for dir; do flags="$flags -I$dir"; done

awk -v dir="$tmp" '
    /^```c$/ { out = dir "/" ++n ".c"; next }
    /^```/ { out = ""; next }
    out { print > out }
' "$readme"

count=0
for program in "$tmp"/*.c; do
    grep -q '^VG_ASYNC(' "$program" || continue
    $cc $flags "$program" -o "$tmp/program" "$lib/libvigil.a" -luring -pthread
    count=$((count + 1))
done
echo "$count programs of README.md compile"
[ "$count" -gt 0 ]
