#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is installed can be used: by a program that finds it with CMake and by one that finds it with
# pkg-config, shared and static. Nothing but vg_ names is exported.
#
#     install.sh <build directory> <cc>
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1 cc=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cmake --install "$build" --prefix "$tmp/usr" >/dev/null
lib=$(dirname "$(find "$tmp/usr" -name libvigil.so)")

strangers=$(nm -D --defined-only "$lib/libvigil.so" | awk '$3 !~ /^vg_/ {print $3}')
if [ -n "$strangers" ]; then
    echo "FAILED: libvigil.so exports" $strangers
    exit 1
fi

cmake -S "$here/consumer" -B "$tmp/consumer" -G Ninja -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_PREFIX_PATH="$tmp/usr" >/dev/null
cmake --build "$tmp/consumer"
for program in with_shared with_static with_jemalloc; do
    LD_LIBRARY_PATH=$lib "$tmp/consumer/$program"
done

# The .pc file names the prefix of the configuration; this is somewhere else.
pc() { PKG_CONFIG_PATH=$lib/pkgconfig pkg-config --define-variable=prefix=$tmp/usr "$@" vigil; }
$cc -std=gnu17 "$here/consumer/main.c" -o "$tmp/a" $(pc --cflags --libs)
LD_LIBRARY_PATH=$lib "$tmp/a"
$cc -std=gnu17 "$here/consumer/main.c" -o "$tmp/b" $(pc --cflags) "$lib/libvigil.a" \
    $(pc --static --libs | sed 's/-lvigil//')
"$tmp/b"
