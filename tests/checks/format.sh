#!/bin/sh
# SPDX-License-Identifier: MIT
# Every C and C++ file is as clang-format leaves it; with --fix, makes it so.
set -eu
cd "$(dirname "$0")/../.."
fix=${1-}
command -v clang-format >/dev/null || exit 77
find . \( -path ./build -o -path ./.git \) -prune -o -type f \
    \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print | sort | {
    failures=0
    while read -r file; do
        clang-format "$file" | cmp -s - "$file" && continue
        if [ "$fix" = --fix ]; then
            clang-format -i "$file"
            continue
        fi
        echo "not formatted: $file (tests/checks/format.sh --fix)"
        failures=$((failures + 1))
    done
    [ "$failures" -eq 0 ]
}
