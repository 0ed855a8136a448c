#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The peers build, and every benchmark of each runs, with a thousandth of its counts, and prints what it should. Results
# that a benchmark has are checked by itself. Skipped where the packages of setup-debian.sh --peers are missing.
#
#     peers_test.sh <output directory> <echo_load> [<peer>...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1 load=$2
shift 2
peers=${*:-tokio rayon smol go tbb libuv ck floor}
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$tmp"' EXIT
failures=0
runs=0

for tool in cargo go; do
    command -v $tool >/dev/null || { echo "skipped: no $tool" && exit 77; }
done
for file in /usr/share/cargo/registry/tokio-1* /usr/include/oneapi/tbb/task_group.h /usr/include/uv.h; do
    [ -e "$file" ] || { echo "skipped: no $file" && exit 77; }
done

failed() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# expect_code <code> <argument>...: of $peer
expect_code() {
    wanted=$1
    shift
    code=0
    timeout 60 "$out/$peer" "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
    [ $code -eq "$wanted" ] || failed "$peer $*: exit code $code, not $wanted: $(cat "$tmp/err")"
}

# A line of four fields; memory has no processor time, and may even shrink.
well_formed() {
    awk -F'\t' -v name="$1" '
        NF == 4 && $1 == name && $2 ~ /^[1-9][0-9]*$/ {
            if (name ~ /^mem_/) good += $3 ~ /^-?[0-9]+$/ && $4 == "0"
            else good += $3 ~ /^[1-9][0-9]*$/ && $4 ~ /^[0-9]+$/
        }
        END { exit !(NR == 1 && good == 1) }' "$tmp/out"
}

benches() {
    for bench in $("$out/$peer" --list); do
        for workers in 1 2; do
            runs=$((runs + 1))
            expect_code 0 "$bench" $workers
            well_formed "$bench" || failed "$peer $bench $workers printed: $(cat "$tmp/out")"
        done
    done
}

# What README.md says of each peer is what it has.
listed() {
    "$out/$peer" --list | sort >"$tmp/has"
    awk -F'[| ]+' -v peer="$peer" '
        /^\| benchmark / { for (i = 1; i <= NF; i++) if ($i == peer) column = i; next }
        /^\|/ && column && $column == "x" { print $2 }
        /^$/ { column = 0 }' "$here/README.md" | sort >"$tmp/documented"
    cmp -s "$tmp/has" "$tmp/documented" || failed "$peer has not what README.md says: $(diff "$tmp/has" "$tmp/documented")"
}

misuse() {
    expect_code 2 no_such_benchmark 1
    expect_code 2 "$("$out/$peer" --list | sed -n 1p)" 0
    expect_code 2
}

serves_echo() {
    : >"$tmp/server"
    "$out/$peer" echo 0 2 >"$tmp/server" &
    server=$!
    tries=100
    until grep -q '^listening on ' "$tmp/server" || [ $tries -eq 0 ]; do
        tries=$((tries - 1))
        sleep 0.1
    done
    "$load" --connect "$(sed -n 's/^listening on //p' "$tmp/server")" --connections 10 --requests 1000 >"$tmp/load" ||
        failed "$peer echo"
    kill $server
    wait $server || failed "$peer echo: exit code $?"
    server=
}

JOBS=${JOBS:-1} sh "$here/build.sh" "$out" $peers || failed 'build.sh'
export VIGIL_PEER_SCALE=1000
for peer in $peers; do
    [ -x "$out/$peer" ] || continue
    misuse
    listed
    benches
    case $peer in tokio | go | libuv) serves_echo ;; esac
done
cat "$out/versions.txt"
echo "$runs runs, $failures failed"
[ $failures -eq 0 ]
