#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Prints the size of every struct in the public headers, and fails where it is not the one in the table: programs embed them, so
# a size that grows is a change for each of their frames. After a change that is meant, put the output into the table.
#
#     sizes.sh <table> <cc> <include directory>...
set -eu
table=$1 cc=$2
shift 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

flags='-std=gnu17'
for dir; do flags="$flags -I$dir"; done
for dir; do
    for header in "$dir"/vigil/*.h; do
        [ -e "$header" ] || continue
        echo "#include <vigil/${header##*/}>" >&3
        sed -nE 's/^struct (vg_[a-z_]+) \{$/\1/p' "$header" >&4
    done
done 3>"$tmp/sizes.c" 4>"$tmp/names"
{
    echo '#include <stdio.h>'
    echo 'int main(void) {'
    sort -u "$tmp/names" | sed 's/.*/printf("%-22s %5zu\\n", "&", sizeof(struct &));/'
    echo 'return 0; }'
} >>"$tmp/sizes.c"

$cc $flags "$tmp/sizes.c" -o "$tmp/sizes"
"$tmp/sizes" | tee "$tmp/found"
[ "$(wc -l <"$tmp/found")" -gt 100 ]
grep -v "^#" "$table" | diff - "$tmp/found"
