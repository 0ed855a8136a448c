#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs the Debian packages that building and testing vigil needs, and nothing else. This is the only
# list of them. Safe to run again: where all are installed it does nothing and needs no rights.
#
#     setup-debian.sh [--peers] [--count] [--arm64]
#
# --peers: also what the programs in bench/peers need, which vigil is compared with.
# --count: also what counts instructions.
# --arm64: also the cross compiler and the emulator; and into build/arm64-root, the libraries for ARM64, which Debian
#          does not install beside those of this machine.
set -eu
cd "$(dirname "$0")/.."

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
arm64='gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user'
arm64_libraries='
    liburing-dev liburing2 libck-dev libck0 libjemalloc-dev libjemalloc2
    libdw-dev libdw1 libelf-dev libelf1 zlib1g-dev zlib1g liblzma-dev liblzma5 libbz2-dev libbz2-1.0
'
arm64_root=

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

for option in "$@"; do
    case $option in
    --peers) packages="$packages $peers" ;;
    --count) packages="$packages valgrind" ;;
    --arm64) packages="$packages $arm64" arm64_root=$PWD/build/arm64-root ;;
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

# With lists and a state of their own, so that the machine's apt knows nothing of another architecture.
arm64_apt() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root -o Dir::State="$apt/state" \
        -o Dir::State::status=/dev/null -o Dir::Cache="$apt/cache" "$@"
}

unpack_arm64() {
    [ -n "$arm64_root" ] && [ ! -e "$arm64_root/complete" ] || return 0
    apt=$arm64_root/apt
    rm -rf "$arm64_root"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/packages"
    say "unpacking for ARM64:" $arm64_libraries
    arm64_apt update || fail 'apt-get update for arm64 failed (see above)'
    (cd "$apt/packages" && arm64_apt download $arm64_libraries >/dev/null) ||
        fail 'apt-get could not download the libraries for arm64 (see above)'
    for package in "$apt/packages"/*.deb; do
        dpkg -x "$package" "$arm64_root"
    done
    rm -rf "$apt"
    touch "$arm64_root/complete"
}

missing=
for package in $packages; do
    is_installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
    unpack_arm64
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
unpack_arm64
say 'done'
