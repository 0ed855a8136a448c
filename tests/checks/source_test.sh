#!/bin/sh
# SPDX-License-Identifier: MIT
#
# source.sh must find every violation planted in a small tree, and nothing in that tree without it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
input=$(mktemp)
trap 'rm -rf "$tree" "$input"' EXIT
spdx='/* SPDX-License-Identifier: MIT */'
failures=0
planted=0

good_tree() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree/core/seam" "$tree/io" "$tree/sync" "$tree/tests/explore" "$tree/build"
    cat >"$tree/core/seam/vg_atomic.h" <<END
$spdx
#ifndef VIGIL_CORE_VG_ATOMIC_H
#define VIGIL_CORE_VG_ATOMIC_H
#include <stdatomic.h>
#define vg_fence() atomic_thread_fence(memory_order_seq_cst)
#endif
END
    cat >"$tree/io/uring_compat.h" <<END
$spdx
#ifndef VIGIL_IO_URING_COMPAT_H
#define VIGIL_IO_URING_COMPAT_H
#include <liburing.h>
#endif
END
    cat >"$tree/io/ring.c" <<END
$spdx
#include "uring_compat.h"
/* Unlike <stdatomic.h>, malloc() and getenv("X"), which a comment may name; // nor here: free() */
const char *text = "malloc(1) /* no comment */";
int runtime(int n) { a->free(n); return vg_cas(&n, &n, f(1,
    2), acq_rel, relaxed) + lifetime(n); }
END
    printf '// SPDX-License-Identifier: MIT\nfunc f() {\n\treturn\n}\n' >"$tree/io/tabs.go"
    echo "$spdx" >"$tree/build/not_ours.c"
    echo '#include <stdatomic.h>' >>"$tree/build/not_ours.c"
}

complain() {
    echo "FAILED: $1"
    failures=$((failures + 1))
}

# plant <file> <expected rule>: the file's text is in $input
plant() {
    good_tree
    cp "$input" "$tree/$1"
    planted=$((planted + 1))
    if output=$(sh "$here/source.sh" "$tree"); then
        complain "passed in spite of $1: $2"
    elif ! echo "$output" | grep -Eq "^$1:[0-9]+: .*$2"; then
        complain "no '$2' for $1, but: $output"
    elif [ "$(echo "$output" | wc -l)" -ne 1 ]; then
        complain "more than was planted: $output"
    fi
}
# line <file> <expected rule> <line of C>
line() {
    printf '%s\n%s\n' "$spdx" "$3" >"$input"
    plant "$1" "$2"
}

good_tree
output=$(sh "$here/source.sh" "$tree") || complain "the good tree: $output"

line sync/a.c 'atomics are' '#include <stdatomic.h>'
line tests/a.c 'atomics are' '# include <stdatomic.h>'
line sync/a.c 'atomics are' 'int f(int *p) { return __atomic_load_n(p, 0); }'
line sync/a.c 'atomics are' 'int f(int *p) { return __sync_fetch_and_add(p, 0); }'
line sync/a.c 'atomics are' 'int f(int *p) { return atomic_load(p); }'
line tests/explore/a.c 'only fence' 'void f(void) { atomic_thread_fence(memory_order_release); }'
line sync/a.c 'threads are' '#include <pthread.h>'
line sync/a.c 'threads are' 'void f(void) { sched_yield(); }'
line io/a.c 'concurrencykit' '#include <ck_ring.h>'
line io/a.c 'liburing is included' '#include <liburing.h>'
line core/a.c 'jemalloc is' '#include <jemalloc/jemalloc.h>'
line io/a.c 'the clock' 'int f(void *t) { return clock_gettime(1, t); }'
line io/a.c 'the clock' 'long f(void) { return time(0); }'
line io/a.c 'struct vg_alloc' 'void f(void *p) { free(p); }'
line io/a.c 'struct vg_alloc' 'void *f(void) { /* a comment */ return malloc(1); }'
line core/a.c 'environment' 'char *f(void) { return getenv("X"); }'
line core/a.c 'random' 'int f(void) { return rand(); }'
line core/a.c 'signals' 'void f(void) { signal(1, 0); }'
line core/a.c 'kernel are read' 'const char *f = "/proc/self/cgroup";'
line core/a.c 'consume' 'int f(int *p) { return vg_load(p, consume); }'
line core/a.c 'not in this code' 'void *f(void) { return alloca(1); }'
line core/a.c 'computed jumps' 'void f(void *p) { goto *p; }'
line core/a.c 'weaker' 'int f(int *p) { return vg_cas(p, p, 1, acquire, relaxed); }'
line core/a.c 'weaker' 'int f(int *p) { return vg_cas(p, p, 1, release, relaxed); }'
line core/a.c 'weaker' 'int f(int *p) { return vg_xchg(p, g(1, 2), relaxed); }'
line core/a.c 'weaker' 'int f(int *p) { return vg_fetch_or(p, 1, relaxed); }'
line core/a.c 'weaker' 'int f(int *p) { return vg_fetch_add(p, 1, release); }'
printf '%s\nint f(int *p) { return vg_cas(p, p,\n 1, relaxed,\n relaxed); }\n' "$spdx" >"$input"
plant core/a.c 'weaker'
echo 'int x;' >"$input"
plant core/a.c 'SPDX'
echo 'set -e' >"$input"
plant run 'SPDX'
line core/a.h 'include guard' 'int x;'
line core/a.c 'blanks' 'int x; '
line core/a.c 'path of a machine' "const char *f = \"/ho""me/me\";"
line core/a.c 'no reader has' "/* see proto""cols.md */"
{ echo "$spdx" && yes 'int f(void);' | head -n 400; } >"$input"
plant core/a.c 'more than 400'
{ printf '%s\nvoid f(void)\n{\n' "$spdx" && yes '    g();' | head -n 60 && echo '}'; } >"$input"
plant core/a.c 'function of more'

echo "$planted planted, $failures failed"
[ "$failures" -eq 0 ]
