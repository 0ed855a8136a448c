#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The figures of this tree: what the machine charges for the simplest things, what the runtime charges in comparison, and
# what an echo server costs beside hand-written ones. Everything is measured in rounds, each of which measures everything, so
# that whatever else the machine does falls on all alike.
#
#     report.sh <build directory> <output directory> [<rounds>]
#
# Writes bench.txt, bench.json and the single measurements, bench.tsv, to the output directory. Fails if something
# did not run, or an echo was wrong; no figure makes it fail.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1 out=$2 rounds=${3:-5}
slices=$((rounds * 3)) # rounds of the servers, which are shorter
slice=0.12 warm_up=0.03

mkdir -p "$out"
tmp=$(mktemp -d)
servers=
client=

clean_up() {
    trap - EXIT INT TERM
    for pid in $client $servers; do kill "$pid" 2>/dev/null || true; done
    for pid in $client $servers; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    printf 'report.sh: %s\n' "$1" >&2
    exit 1
}

# Runs a program so that a signal to this script ends it too.
run_client() {
    "$@" &
    client=$!
    code=0
    wait $client || code=$?
    client=
    return $code
}

# ---- benchmarks: "<round> <name> <processor ns> <wall ns> [<watchdog's ns>]" -------------------

micro_round() {
    run_client "$build/bench/vigil_bench" --benchmark_min_time=0.02 --benchmark_format=json \
        >"$tmp/round.json" 2>"$tmp/err" || { cat "$tmp/err" >&2 && fail 'vigil_bench failed'; }
    awk -v round="$1" '
        function value() { sub(/^[^:]*: */, ""); gsub(/[",]/, ""); return $0 }
        function flush() { if (name != "" && !bad) print "micro", round, name, cpu + 0, wall + 0, dog + 0 }
        /^ *"name":/ { flush(); name = value(); sub(/\/process_time$/, "", name); bad = dog = 0 }
        /^ *"error_occurred": true/ { bad = 1 }
        /^ *"cpu_time":/ { cpu = value() }
        /^ *"real_time":/ { wall = value() }
        /^ *"watchdog_ns":/ { dog = value() }
        END { flush() }' "$tmp/round.json" >>"$tmp/data"
}

# ---- servers: "<kind> <round> <name> <server ns> <p99 us> <requests/s> <watchdog's ns> ..." ----

# on <processor> <program> <argument>...: pinned, if there are two to choose from.
on() {
    processor=$1
    shift
    if [ "$workers" -eq 1 ] && taskset -c "$processor" true 2>/dev/null; then
        exec taskset -c "$processor" "$@"
    fi
    exec "$@"
}

# start <name> <program> <argument>...
start() {
    name=$1
    shift
    : >"$tmp/$name.out"
    (on 0 "$@" --listen 127.0.0.1:0 --workers "$workers") >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null &
    servers="$servers $!"
    echo $! >"$tmp/$name.pid"
    tries=100
    until grep -q '^listening on ' "$tmp/$name.out"; do
        tries=$((tries - 1))
        if [ $tries -eq 0 ] || ! kill -0 "$(cat "$tmp/$name.pid")" 2>/dev/null; then
            cat "$tmp/$name.err" >&2
            fail "$name did not start"
        fi
        sleep 0.1
    done
}

stop_servers() {
    for pid in $servers; do kill "$pid"; done
    for pid in $servers; do wait "$pid" || fail 'a server failed'; done
    servers=
}

# measure <kind> <round> <name>
measure() {
    address=$(sed -n 's/^listening on //p' "$tmp/$3.out")
    run_client on_load --connect "$address" --pid "$(cat "$tmp/$3.pid")" \
        --thread vigil-watch --warm-up $warm_up --seconds $slice >"$tmp/load.json" || fail "the load on $3 failed"
    awk -v row="$1 $2 $3" '
        function member(key) { match($0, "\"" key "\":[0-9.]+"); return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) }
        { print row, member("server_ns_per_request"), member("p99"), member("requests_per_s"),
            member("thread_ns_per_request"), member("server_user_share"), member("load_ns_per_request") }' \
        "$tmp/load.json" >>"$tmp/data"
}
on_load() { on 1 "$build/bench/echo_load" "$@"; }

echo_rounds() {
    workers=$1
    start vigil "$build/examples/echo_server"
    start multishot "$build/bench/echo_multishot"
    start epoll "$build/bench/echo_epoll"
    start vigil_again "$build/examples/echo_server"
    start oneshot "$build/bench/echo_oneshot"
    start vigil_off "$build/examples/echo_server" --level 0
    round=0
    while [ $round -lt $slices ]; do
        round=$((round + 1))
        for name in vigil multishot epoll vigil_again oneshot vigil_off; do measure "echo$workers" $round $name; done
    done
    stop_servers
}

# ---- the report --------------------------------------------------------------------------------

describe() {
    printf 'commit %s\n' "$(git -C "$here" describe --always --abbrev=12 --dirty 2>/dev/null || echo unknown)"
    printf 'kernel %s\n' "$(uname -sr)"
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    printf 'cpu %s\n' "$(nproc) x ${cpu:-$(uname -m)}"
    printf 'compiler %s\n' \
        "$("$(sed -n 's/^CMAKE_C_COMPILER:[^=]*=//p' "$build/CMakeCache.txt")" --version | head -n 1)"
    printf 'load %s\n' "$(cut -d' ' -f1 /proc/loadavg) runnable before the start"
}

describe >"$tmp/machine"
: >"$tmp/data"
round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    micro_round $round
done
for workers in 1 2; do echo_rounds $workers; done

cp "$tmp/data" "$out/bench.tsv"
awk -f "$here/report.awk" -v json="$out/bench.json" "$tmp/machine" "$tmp/data" >"$out/bench.txt"
cat "$out/bench.txt"
