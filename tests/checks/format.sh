#!/bin/sh
# SPDX-License-Identifier: MIT
# Every C and C++ file is as clang-format leaves it; with --fix, makes it so.
set -eu
cd "$(dirname "$0")/../.."
command -v clang-format >/dev/null || exit 77
files() {
    find . \( -path ./build -o -path ./.git \) -prune -o -type f \
        \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print
}

if [ "${1-}" = --fix ]; then
    files | xargs clang-format -i
    exit
fi
unformatted=$(files | xargs clang-format --dry-run 2>&1 | sed -n 's/^\([^: ]*\):[0-9]*:.*/\1/p' | sort -u)
[ -n "$unformatted" ] || exit 0
printf 'not formatted (tests/checks/format.sh --fix):\n%s\n' "$unformatted"
exit 1
