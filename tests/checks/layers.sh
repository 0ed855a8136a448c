#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The walls between the modules stand: a module reaches neither the private headers of the module that it
# needs, nor, by a declaration of its own, the functions of a module that it does not need.
#
#     layers.sh <cc> <core/include> <core/seam> <directory of the modules linked alone>
set -eu
cc=$1 include=$2 seam=$3 alone=$4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failures=0

compiles() { echo "$1" | $cc -std=gnu17 -x c -fsyntax-only -I"$include" -I"$seam" - 2>/dev/null; }
links() {
    echo "$1" | $cc -std=gnu17 -x c -shared -fPIC -Wl,--no-undefined -o "$tmp/a.so" - \
        -L"$alone" -lvigil_core_alone 2>/dev/null
}
expect() {
    wanted=$1
    shift
    if "$@"; then got=yes; else got=no; fi
    [ $got = "$wanted" ] && return
    echo "FAILED: expected '$wanted' of: $*"
    failures=$((failures + 1))
}

expect yes compiles '#include <vigil/exec.h>'
for header in "$include"/../*.h; do
    [ -e "$header" ] || continue
    expect no compiles "#include \"${header##*/}\""
done
expect no compiles '#include <vigil/mutex.h>'

expect yes links 'unsigned long long vg_now(void); unsigned long long f(void) { return vg_now(); }'
expect no links 'void vg_mutex_init(void *); void f(void *p) { vg_mutex_init(p); }'

[ "$failures" -eq 0 ]
