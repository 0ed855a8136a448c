#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The walls between the modules stand: sync reaches neither core's private headers nor any header of the modules
# beside it, and core reaches no function of sync, by a declaration of its own.
#
#     layers.sh <cc> <root of the tree> <include options of sync> <directory of the modules linked alone>
set -eu
cc=$1 root=$2 includes=$3 alone=$4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failures=0

# By path, because the system has headers of some of the same names.
reaches() {
    echo "#include \"$1\"" | $cc -std=gnu17 -x c -M $includes - 2>/dev/null |
        tr ' ' '\n' | grep -q "^$root/.*/$1\$"
}
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

expect yes reaches vigil/exec.h
expect yes reaches vigil/mutex.h
expect yes reaches vg_atomic.h
for header in "$root"/core/*.h; do
    [ -e "$root/sync/${header##*/}" ] || expect no reaches "${header##*/}"
done
for header in "$root"/io/include/vigil/*.h "$root"/instrument/include/vigil/*.h; do
    expect no reaches "vigil/${header##*/}"
done

expect yes links 'unsigned long long vg_now(void); unsigned long long f(void) { return vg_now(); }'
expect no links 'void vg_mutex_init(void *); void f(void *p) { vg_mutex_init(p); }'

[ "$failures" -eq 0 ]
