#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the peers, from what Debian's packages brought (cmake/setup-debian.sh --peers) and nothing from the network.
#
#     build.sh <output directory> [<peer>...]
#
# Leaves a program for each peer, and versions.txt, in the output directory; what the compilers need besides is
# in its subdirectory build. A peer that cannot be built is named, and makes this fail when the others are done.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/build"
out=$(cd "$1" && pwd)
work=$out/build
shift
peers=${*:-tokio rayon smol go tbb libuv ck floor}
failed=

CC=${CC:-cc} CXX=${CXX:-c++}
flags='-O3 -g -Wall -Wextra -Werror -D_GNU_SOURCE -pthread'

# The sources are copied, because cargo writes beside them. Times of files stay, so that little is built again. What another
# cargo has locked may be in a format that this one does not know.
rust() {
    rm -f "$work/rust/Cargo.lock"
    mkdir -p "$work/rust" "$work/cargo"
    cp -Rp "$here/Cargo.toml" "$here/harness" "$here/tokio" "$here/rayon" "$here/smol" "$work/rust"
    cat >"$work/cargo/config.toml" <<END
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "/usr/share/cargo/registry"
[net]
offline = true
END
    (cd "$work/rust" &&
        CARGO_HOME=$work/cargo CARGO_TARGET_DIR=$work/target cargo build -q --release ${JOBS:+-j "$JOBS"} -p "peer_$1") &&
        cp "$work/target/release/peer_$1" "$out/$1"
}

c() {
    name=$1
    shift
    $CC $flags -std=gnu17 "$here/$name"/*.c "$here/harness/peer.c" -I"$here/harness" -o "$out/$name" "$@"
}

build() {
    case $1 in
    tokio | rayon | smol) rust "$1" ;;
    go) (cd "$here/go" && GOCACHE=$work/go GOPATH=$work/gopath GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local \
        CGO_ENABLED=0 go build ${JOBS:+-p "$JOBS"} -o "$out/go" .) ;;
    tbb) $CC $flags -std=gnu17 -c "$here/harness/peer.c" -o "$work/peer.o" &&
        $CXX $flags -std=c++17 "$here"/tbb/*.cc "$work/peer.o" -I"$here/harness" -o "$out/tbb" -ltbb ;;
    libuv) c libuv -luv ;;
    ck | floor) c "$1" ;;
    *) echo "build.sh: no peer $1" >&2 && return 1 ;;
    esac
}

# The version that Cargo chose, or the one of a package.
crate() { printf '%s %s\n' "$1" "$(awk -F'"' -v name="$1" '/^name/ { at = $2 == name } at && /^version/ { print $2 }' "$work/rust/Cargo.lock")"; }
package() { printf '%s %s\n' "$1" "$(dpkg-query -W -f='${Version}' "$1")"; }

version() {
    case $1 in
    tokio | rayon | smol) crate "$1" && (cd / && rustc --version) && package libjemalloc2 ;;
    go) go version ;;
    tbb) package libtbb-dev && $CXX --version | head -n 1 ;;
    libuv) package libuv1-dev && $CC --version | head -n 1 ;;
    ck) package libck-dev && $CC --version | head -n 1 ;;
    floor) $CC --version | head -n 1 ;;
    esac
}

: >"$out/versions.txt"
for peer in $peers; do
    rm -f "$out/$peer"
    if build "$peer"; then
        printf '%s: %s\n' "$peer" "$(version "$peer" | paste -sd ';' - | sed 's/;/; /g')" >>"$out/versions.txt"
    else
        echo "build.sh: $peer could not be built" >&2
        failed="$failed $peer"
    fi
done
[ -z "$failed" ] || exit 1
