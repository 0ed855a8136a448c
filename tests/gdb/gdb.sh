#!/bin/sh
# SPDX-License-Identifier: MIT
#
# vigil-gdb.py shows the tasks of a process, and of a core file.
#
#     gdb.sh <vigil-gdb.py> <target>
set -eu
script=$1 target=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

line_of() { grep -nF -- "$1" "$(dirname "$0")/target.c" | head -n 1 | cut -d: -f1; }
lock=$(line_of 'VG_AWAIT(rc, vg_lock(&f->lock, &db));')
each=$(line_of 'VG_EACH (rc, f->stream)')
join=$(line_of 'VG_AWAIT(rc, VG_JOIN(f->join')

ask() { gdb -q -batch -nx -iex 'set auto-load no' -iex 'set debuginfod enabled off' "$@" 2>&1; }

expect() {
    while read -r line; do
        grep -qF -- "$line" "$1" || {
            cat "$1"
            echo "FAILED: $2 does not say: $line"
            exit 1
        }
    done
}

# look <name> <arguments of gdb>...
look() {
    name=$1
    shift
    ask "$@" -ex "source $script" -ex 'vg tasks' -ex 'vg bt' -ex 'vg bt out.1' -ex 'vg bt 7.7' >"$tmp/$name.txt" || : # there is no such task
    expect "$tmp/$name.txt" "$name" <<END
task out.1 "holder"  idle, polled
task out.2 "session"  idle, polled
2 tasks
holder  tests/gdb/target.c:$each  f->stream
stream_filter
interval
sleep
session  tests/gdb/target.c:$join  VG_JOIN
query  tests/gdb/target.c:$lock  vg_lock(&f->lock, &db)
vg_lock  waits for mutex "db"
timeout
~ query  tests/gdb/target.c:$lock  vg_lock(&f->lock, &db)  PARKED
~ set  kept
set_item
forever
no task 7.7
END
}

look process "$target" -ex run -ex "generate-core-file $tmp/core"
look core "$target" "$tmp/core"
echo 'both show what there is'
