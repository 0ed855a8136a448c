#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The echo of examples/echo_server.c is the one that README.md prints, but for the layout of its comments.
set -eu
cd "$(dirname "$0")/../.."
echo_of() { awk '/^struct echo {/ { on = 1 } on { print } /^static struct echo \*echo\(/ { last = 1 } on && last && /^}/ { exit }' "$1" | tr -s ' \n' ' '; }
[ -n "$(echo_of README.md)" ]
[ "$(echo_of README.md)" = "$(echo_of examples/echo_server.c)" ] || {
    echo 'the two differ:'
    echo_of README.md | fold
    echo
    echo_of examples/echo_server.c | fold
    exit 1
}
