#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Rules of the source that no compiler checks: which files may touch what the rest must reach through a
# seam, and the shape of files. Prints each violation as "path:line: rule"; fails if there is one.
#
#     source.sh [root-of-the-tree]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
: >"$tmp/found"

files() { find . \( -path ./build -o -path ./.git \) -prune -o -type f "$@" -print | sed 's,^\./,,'; }
files \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) | sort >"$tmp/c_files"
xargs awk -f "$here/strip.awk" <"$tmp/c_files" >"$tmp/code"
xargs awk -v bare=1 -f "$here/strip.awk" <"$tmp/c_files" >"$tmp/bare"

found() { sed "s|\$|: $1|" >>"$tmp/found"; }

# never <code|bare> <pattern> <rule> [<files where it is allowed>]: extended regular expressions.
never() {
    grep -E "^[^:]*:[0-9]+:(.*[^[:alnum:]_.>])?($2)" "$tmp/$1" | cut -d: -f1,2 |
        grep -Ev "^(${4:-nothing}):" | found "$3" || true
}

seam='core/seam/vg_os\.h|core/os(_clock|_cpus|_lock|_look|_signal|_stack|_ticks)?\.c|core/seam/vg_ticks\.h'
programs='(tests|bench|examples)/[^:]*'

include='[[:space:]]*#[[:space:]]*include[[:space:]]*<'
never code "${include}stdatomic\.h>" 'atomics are core/seam/vg_atomic.h' \
    'core/seam/vg_atomic\.h|tests/explore/[^:]*'
never code "${include}(pthread|threads|sched|semaphore)\.h>" 'threads are core/seam/vg_os.h' \
    "$seam|(tests|bench)/[^:]*"
never code "${include}ck_" 'concurrencykit is for core/seam and for rivals in benchmarks' \
    'core/seam/[^:]*|bench/[^:]*'
never code "${include}liburing" 'liburing is included by io/uring_compat.h' 'io/uring_compat\.h'
never code "${include}elfutils/" 'elfutils is instrument/symbols.c' 'instrument/symbols\.c'
never code "${include}jemalloc/" 'jemalloc is core/jemalloc.c' 'core/jemalloc\.c'

never bare '(__)?(atomic|sync)_[a-z_]+ *\(|__(atomic|sync)_' 'atomics are core/seam/vg_atomic.h' \
    'core/seam/vg_atomic\.h|core/include/vigil/fork\.h|tests/explore/[^:]*'
never bare 'atomic_thread_fence\(memory_order_(acquire|release|acq_rel|relaxed)' \
    'the only fence is vg_fence()'
never bare '(memory_order_)?consume *\)' 'no memory_order_consume'
never bare '(pthread|thrd|mtx|cnd|sched)_[a-z_]+ *\(' 'threads are core/seam/vg_os.h' "$seam|$programs"
never bare '(clock_gettime|gettimeofday|time|clock|nanosleep|usleep|sleep|__rdtsc|__builtin_ia32_rdtsc) *\(' \
    'the clock is core/seam/vg_os.h' "$seam|$programs"
never bare '(malloc|calloc|realloc|reallocarray|free|aligned_alloc|posix_memalign|strn?dup|v?asprintf) *\(' \
    'memory comes from struct vg_alloc' "core/alloc\.c|core/jemalloc(_none)?\.c|$programs"
never bare '(secure_)?getenv *\(' 'the environment is read in core/os.c' "$seam|$programs"
never bare '(getrandom|getentropy|rand|random|rand_r|drand48) *\(' \
    'random numbers come from a seed' "$seam|$programs"
never bare '(signal|sigaction|sigprocmask|pthread_sigmask) *\(' 'signals are core/seam/vg_os.h' \
    "$seam|$programs"
never code '["](/proc|/sys|/dev)/' 'files of the kernel are read in core/os_*.c' \
    "$seam|io/uring_probe\.c|$programs"
never bare '(setjmp|longjmp|alloca) *\(' 'not in this code' 'tests/[^:]*'
never bare 'goto +\*' 'computed jumps are for vigil/async.h' 'core/include/vigil/async\.h'

# An operation that reads and writes must both acquire and release: weaker ones are right by accident of the
# machines that tests run on. Pure counters are added to with vg_fetch_add or vg_fetch_sub, relaxed.
grep -E '^(core|sync|io|instrument)/' "$tmp/bare" | awk -f "$here/rmw.awk" |
    grep -Ev 'vg_cas\(.*, *(acq_rel|seq_cst), *(relaxed|acquire|seq_cst)\)$' |
    grep -Ev 'vg_(xchg|fetch_[a-z]+)\(.*, *(acq_rel|seq_cst)\)$' |
    grep -Ev 'vg_fetch_(add|sub)\(.*, *relaxed\)$' |
    cut -d: -f1,2 | found 'read-modify-write weaker than acq_rel' || true

# Whole files.
text() { files ! -name '*.png' ! -name LICENSE | sort; }

text | grep -Ev '\.(md|json)$|(^|/)(CHANGELOG|\.gitignore)' | while read -r file; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file:1"
done | found 'no SPDX line'

text | grep -v '\.md$' | while read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 400 ] || echo "$file:$lines"
done | found 'more than 400 lines'

grep -E '\.h$' "$tmp/c_files" | while read -r file; do
    grep -q '^#ifndef VIGIL_[A-Z0-9_]*_H$' "$file" || echo "$file:1"
done | found 'no include guard VIGIL_..._H'

xargs awk '
    FNR == 1 { start = 0 }
    /^{/ { start = FNR }
    /^}/ { if (start && FNR - start > 60) print FILENAME ":" start; start = 0 }
' <"$tmp/c_files" | found 'function of more than 60 lines'

text | xargs grep -nHE '(^|[^/])(resume|protocols|scheduler|reliability|instrumentation|corpus)\.md' |
    cut -d: -f1,2 | found 'names a page that no reader has' || true
text | xargs grep -nHE '/(work|farm|home)/' | cut -d: -f1,2 | found 'path of a machine' || true
tab=$(printf '\t')
text | grep -v '\.go$' | xargs grep -nHE "[[:space:]]\$|$tab" | cut -d: -f1,2 |
    found 'tab, or blanks at the end of the line' || true

sort -t: -k1,1 -k2,2n "$tmp/found" | sed 's/:\([0-9]*\): /:\1: /'
[ ! -s "$tmp/found" ] || exit 1
echo "source rules hold in $(wc -l <"$tmp/c_files") C files"
