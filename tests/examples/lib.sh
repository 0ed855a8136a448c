# SPDX-License-Identifier: MIT
# For the tests in this directory, which source it: <directory of the programs> <of the tools> <cmake>.
set -eu
programs=$1 tools=$2 cmake=$3
here=$(cd "$(dirname "$0")" && pwd)
client=$tools/examples_client
tmp=$(mktemp -d)
server=
others=
descriptors= # how many the server may have; nothing: as many as usual
failures=0

clean_up() {
    for pid in $server $others; do kill -KILL "$pid" 2>/dev/null || true; done
    rm -rf "$tmp"
}
trap clean_up EXIT

failed() {
    echo "FAILED: $*"
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

# wait_for <file> <pattern>: up to 20 s. Fails if the server is gone first.
wait_for() {
    tries=200
    until grep -q -- "$2" "$1" 2>/dev/null; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.1
    done
}

# start <program> <argument>...: sets port.
start() {
    program=$1
    shift
    : >"$tmp/out"
    (
        [ -z "$descriptors" ] || ulimit -n "$descriptors"
        exec "$programs/$program" --listen 127.0.0.1:0 "$@"
    ) >"$tmp/out" 2>"$tmp/err" </dev/null &
    server=$!
    tries=200
    until grep -q '^listening on ' "$tmp/out"; do
        tries=$((tries - 1))
        if [ $tries -eq 0 ] || ! kill -0 $server 2>/dev/null; then
            cat "$tmp/err"
            if grep -q 'io_uring:' "$tmp/err"; then exit 77; fi
            failed "$program did not start"
            finish
        fi
        sleep 0.1
    done
    port=$(sed -n 's/^listening on .*://p' "$tmp/out")
    url=http://127.0.0.1:$port
}

# stop [<signal>]: sets code.
stop() {
    kill -"${1:-TERM}" $server
    code=0
    wait $server || code=$?
    server=
    [ $code -eq 0 ] || cat "$tmp/err"
}

finish() {
    echo "$failures failed"
    [ $failures -eq 0 ] || exit 1
    exit 0
}
