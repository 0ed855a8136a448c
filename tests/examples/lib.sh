# SPDX-License-Identifier: MIT
# For the tests in this directory, which source it: <directory of the programs> <of the tools> <cmake>.
set -eu
programs=$1 tools=$2 cmake=$3
here=$(cd "$(dirname "$0")" && pwd)
client=$tools/examples_client
tmp=$(mktemp -d)
server=
others=
workers=2 # of the next server
worker_counts=${VIGIL_WORKERS:-1 2 4 8} # for what every number of them has to pass
inside= # cgroup.procs of the cgroup that the server is to run in; nothing: in ours
descriptors= # how many the server may have; nothing: as many as usual
failures=0
began=$(date +%s)

clean_up() {
    for pid in $server $others; do kill -KILL "$pid" 2>/dev/null || true; done
    rm -rf "$tmp"
}
trap clean_up EXIT

failed() {
    echo "FAILED with $workers workers: $*"
    failures=$((failures + 1))
}

# same <what> <value> <expected>
same() { [ "$2" = "$3" ] || failed "$1: '$2' instead of '$3'"; }

# contains <what> <pattern> <text>
contains() { printf '%s\n' "$3" | grep -q -- "$2" || failed "$1: no '$2' in: $3"; }

# json <file> <member>...: its value. Fails if the file is not JSON.
json() {
    file=$1
    shift
    "$cmake" -D "file=$file" -D "path=$*" -P "$here/json.cmake" || failed "$file: no $*"
}

# verdicts <report>: how many of all kinds there are, whatever kinds there are.
verdicts() {
    "$cmake" -D "file=$1" -P "$here/verdicts.cmake" || failed "$1: no verdicts"
}

# until_true <seconds> <command>...: whether it has succeeded by then.
until_true() {
    tries=$(($1 * 50))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.02
    done
}

# wait_for <file> <pattern>: up to 20 s.
wait_for() { until_true 20 grep -qs -- "$2" "$1"; }

# each_count <function>: calls it with every number of workers, side by side, each with its own $tmp.
each_count() {
    pids=
    for workers in $worker_counts; do
        (
            tmp=$tmp/$workers server= others= failures=0
            mkdir "$tmp"
            trap clean_up EXIT
            "$1"
            [ $failures -eq 0 ]
        ) &
        pids="$pids $!"
    done
    for pid in $pids; do
        code=0
        wait $pid || code=$?
        [ $code -ne 77 ] || exit 77
        [ $code -eq 0 ] || failures=$((failures + 1))
    done
}

# count <number> <what>: what this test has done so often, for the record of a long run (see tests/harness.h).
count() {
    echo "count: $1 $2"
    [ -z "${VIGIL_RECORD-}" ] || printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$(($(date +%s) - began))" \
        "$([ $failures -eq 0 ] && echo ok || echo FAILED)" "$(basename "$0" .sh)" "$programs" >>"$VIGIL_RECORD"
}

started_or_gone() { grep -q '^listening on ' "$tmp/out" || ! kill -0 $server 2>/dev/null; }

# start <program> <argument>...: sets port.
start() {
    program=$1
    shift
    : >"$tmp/out"
    (
        [ -z "$inside" ] || echo 0 >"$inside"
        [ -z "$descriptors" ] || ulimit -n "$descriptors"
        exec "$programs/$program" --listen 127.0.0.1:0 --workers $workers "$@"
    ) >"$tmp/out" 2>"$tmp/err" </dev/null &
    server=$!
    until_true 20 started_or_gone || true
    if ! grep -q '^listening on ' "$tmp/out"; then
        cat "$tmp/err"
        if grep -q 'io_uring:' "$tmp/err"; then exit 77; fi
        failed "$program did not start"
        finish
    fi
    port=$(sed -n 's/^listening on .*://p' "$tmp/out")
    url=http://127.0.0.1:$port
}

# end [<signal>]: sets code.
end() {
    kill -"${1:-TERM}" $server
    code=0
    wait $server || code=$?
    server=
    [ $code -eq 0 ] || cat "$tmp/err"
}

# stop [<signal>]: the same. Whatever the clients have done, the server says that nothing is left behind.
stop() {
    end "$@"
    same 'left behind' "$(sed -n 's/^left behind: //p' "$tmp/out")" '0 tasks, 0 operations, 0 descriptors'
}

finish() {
    echo "$failures failed"
    [ $failures -eq 0 ] || exit 1
    exit 0
}
