#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every public header compiles alone and pedantically: as C11, C17 and GNU C17, and as C++17 unless it is for C only;
# and none pulls in a header of a library that its user need not have.
#
#     headers.sh <cc> <c++> <include directory>...
set -eu
cc=$1
cxx=$2
shift 2

flags='-Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only -H'
for dir; do flags="$flags -I$dir"; done
failures=0
checked=0

# compile <header> <compiler> <language> <standard>
compile() {
    checked=$((checked + 1))
    if ! output=$(echo "#include <vigil/$1>" | $2 -x "$3" "-std=$4" $flags - 2>&1); then
        echo "$output" | grep -v '^[.]'
        echo "FAILED: $1 does not compile alone as $4"
        failures=$((failures + 1))
    elif echo "$output" | grep -E '^[.]+ .*(liburing|/ck_|jemalloc/|elfutils/|http_parser|benchmark)'; then
        echo "FAILED: $1 includes it"
        failures=$((failures + 1))
    fi
}

for dir; do
    for header in "$dir"/vigil/*.h; do
        [ -e "$header" ] || continue
        name=${header##*/}
        for standard in c11 c17 gnu17; do
            compile "$name" "$cc" c $standard
        done
        case $name in
        async.h | combine.h | stream.h | *_stream.h) ;;
        *) compile "$name" "$cxx" c++ c++17 ;;
        esac
    done
done
echo "$checked compiled, $failures failed"
[ "$failures" -eq 0 ] && [ "$checked" -gt 0 ]
