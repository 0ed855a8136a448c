#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cmake/setup-debian.sh with stand-ins for the programs that it calls: what it does as root, under sudo, and where
# it cannot do its work.
set -eu
setup=$(cd "$(dirname "$0")/../.." && pwd)/cmake/setup-debian.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failures=0

# A machine: its user, whether it has sudo ('', 'free', 'asks'), and how apt-get ends.
machine() {
    rm -rf "$tmp/bin" "$tmp/log" "$tmp/installed"
    mkdir "$tmp/bin"
    ln -s "$(command -v env)" "$(command -v printf)" "$(command -v sh)" "$(command -v grep)" "$tmp/bin"
    stub id "echo $1"
    stub dpkg-query "test -e $tmp/installed && echo installed"
    stub apt-get "echo apt-get \"\$@\" >>$tmp/log
        case \"\$*\" in *install*) $3 && : >$tmp/installed;; esac"
    case $2 in
    free) stub sudo "echo sudo >>$tmp/log; test \"\$1\" != -n || shift; \"\$@\"" ;;
    asks) stub sudo 'exit 1' ;;
    esac
}
stub() { printf '#!/bin/sh\n%s\n' "$2" >"$tmp/bin/$1" && chmod +x "$tmp/bin/$1"; }

# expect <exit code> <pattern in what it prints> [<option>]
expect() {
    code=0
    output=$(PATH=$tmp/bin sh "$setup" ${3+"$3"} </dev/null 2>&1) || code=$?
    if [ "$code" -ne "$1" ] || ! echo "$output" | grep -q "$2"; then
        echo "FAILED: exit code $code, expected $1 and '$2' in: $output"
        failures=$((failures + 1))
    fi
}
logged() {
    grep -q "$1" "$tmp/log" && return
    echo "FAILED: no '$1' in: $(cat "$tmp/log")"
    failures=$((failures + 1))
}

machine 0 '' true
expect 0 'installing .*liburing-dev'
logged 'apt-get .*update'
logged 'apt-get .*install .*liburing-dev'
expect 0 'all packages are installed'
if grep -q librust-tokio-dev "$tmp/log"; then
    echo 'FAILED: peers are installed unasked'
    failures=$((failures + 1))
fi

machine 0 '' true
expect 0 'installing .*liburing-dev.* librust-tokio-dev' --peers
logged 'apt-get .*install .*librust-tokio-dev'
expect 1 'no such option: --peer$' --peer

machine 1000 free true
expect 0 'installing .*liburing-dev'
logged sudo

machine 1000 '' true
expect 1 'no sudo. As root, run: apt-get install .*liburing-dev'
machine 1000 asks true
expect 1 'password.*As root, run: apt-get install .*liburing-dev'
machine 0 '' false
expect 1 'could not install .*liburing-dev'
machine 0 '' 'exit 0'
expect 1 'still not installed'
machine 0 '' true
rm "$tmp/bin/apt-get"
expect 1 'apt-get not found.*liburing-dev'

echo "$failures failed"
[ "$failures" -eq 0 ]
