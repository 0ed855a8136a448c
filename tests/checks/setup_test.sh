#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cmake/setup-debian.sh with stand-ins for the programs that it calls: what it does as root, under sudo, and where
# it cannot do its work.
set -eu
tmp=$(mktemp -d)
mkdir -p "$tmp/tree/cmake"
cp "$(dirname "$0")/../../cmake/setup-debian.sh" "$tmp/tree/cmake" # which writes into its tree
setup=$tmp/tree/cmake/setup-debian.sh
trap 'rm -rf "$tmp"' EXIT
failures=0

# A machine: its user, whether it has sudo ('', 'free', 'asks'), and how apt-get ends.
machine() {
    rm -rf "$tmp/bin" "$tmp/log" "$tmp/installed"
    mkdir "$tmp/bin"
    for program in env printf sh grep dirname mkdir rm touch; do
        ln -s "$(command -v $program)" "$tmp/bin"
    done
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

unlogged() {
    grep -q "$1" "$tmp/log" || return 0
    echo "FAILED: '$1' in: $(cat "$tmp/log")"
    failures=$((failures + 1))
}

machine 0 '' true
expect 0 'installing .*liburing-dev'
logged 'apt-get .*update'
logged 'apt-get .*install .*liburing-dev'
expect 0 'all packages are installed'
unlogged librust-tokio-dev # peers are not installed unasked

machine 0 '' true
expect 0 'installing .*liburing-dev.* librust-tokio-dev' --peers
logged 'apt-get .*install .*librust-tokio-dev'
expect 1 'no such option: --peer$' --peer

# The libraries for ARM64 are unpacked once; if that fails, the next run tries again.
machine 0 '' true
stub dpkg "echo dpkg \"\$@\" >>$tmp/log"
stub apt-get "echo apt-get \"\$@\" >>$tmp/log
    case \"\$*\" in *download*) exit 1 ;; *install*) : >$tmp/installed ;; esac"
expect 1 'could not download the libraries for arm64' --arm64
logged 'apt-get .*install .*gcc-aarch64-linux-gnu'
stub apt-get "case \"\$*\" in *download*) : >liburing.deb ;; esac"
expect 0 'unpacking for ARM64: .*liburing-dev' --arm64
logged 'dpkg -x .*/liburing.deb .*/build/arm64-root$'
: >"$tmp/log"
expect 0 'all packages are installed' --arm64
unlogged dpkg # what is there is not unpacked again

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
