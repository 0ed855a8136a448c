#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs the Debian packages that building and testing vigil needs, and nothing else. This is the only
# list of them. Safe to run again: where all are installed it does nothing and needs no rights.
#
#     setup-debian.sh [--peers] [--count]
#
# --peers: also what the programs in bench/peers need, which vigil is compared with.
# --count: also what counts instructions.
set -eu

packages='
    build-essential cmake ninja-build pkg-config
    clang clang-format clang-tidy libclang-rt-dev
    liburing-dev libck-dev libjemalloc-dev libdw-dev libhttp-parser-dev libbenchmark-dev
    wrk curl git gdb ca-certificates
    prometheus python3 python3-prometheus-client
'
peers='
    cargo librust-tokio-dev librust-rayon-dev librust-smol-dev librust-event-listener-dev librust-libc-dev
    golang-go libtbb-dev libuv1-dev
'

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

for option in "$@"; do
    case $option in
    --peers) packages="$packages $peers" ;;
    --count) packages="$packages valgrind" ;;
    *) fail "no such option: $option" ;;
    esac
done

for tool in dpkg-query apt-get; do
    command -v $tool >/dev/null ||
        fail "$tool not found: this script is for Debian 12 and its kin; elsewhere install the" \
            "equivalents of:" $packages
done

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in $packages; do
    is_installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
    say 'all packages are installed'
    exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
    root=
elif ! command -v sudo >/dev/null; then
    fail "not root, and there is no sudo. As root, run: apt-get install$missing"
elif [ -t 0 ]; then
    root=sudo
elif sudo -n true 2>/dev/null; then
    root='sudo -n'
else
    fail "sudo asks for a password and there is no terminal. As root, run: apt-get install$missing"
fi

apt() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Lock::Timeout=300 "$@"
}

say "installing$missing"
apt update || fail 'apt-get update failed (see above); is the network there?'
apt install --no-install-recommends $missing >/dev/null ||
    fail "apt-get could not install$missing (see above)"

for package in $missing; do
    is_installed "$package" || fail "$package is still not installed"
done
say 'done'
