# SPDX-License-Identifier: MIT
# For run.sh, which sources it: ./run bench.

# The programs of another commit, in a work tree of its own that stays for the next time.
build_other() {
    [ -d "build/against/$against" ] || git worktree add -f --detach "build/against/$against" "$against"
    (cd "build/against/$against" && cmake --preset release && cmake --build --preset release --target programs)
}

# Does not return.
run_bench() {
    set -- $quick
    if [ -n "$count" ]; then
        step 'count: a minute or two'
        exec python3 -B bench/report/count.py --build $bin ${only:+--only "$only"}
    fi
    [ -z "$only" ] || set -- "$@" --only "$only"
    if [ -n "$peers" ]; then
        step 'build the peers'
        sh bench/peers/build.sh build/peers || echo 'run: not all of them; the others are measured' >&2
        set -- "$@" --peers build/peers
    fi
    if [ -n "$against" ]; then
        step "build $against"
        build_other >build/against.log 2>&1 || { tail -n 20 build/against.log >&2 && exit 1; }
        set -- "$@" --against "build/against/$against/build/release"
    fi
    step "measure: $rounds rounds"
    exec $report "$@"
}
