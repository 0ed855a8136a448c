#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes one mutant of mutants.txt, builds the test that must find it, and succeeds if that test fails
# in the way the table says.
#
#     mutate.sh <mutants.conf> <mutant>
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$1"
name=$2
root=$(dirname "$1")/mutants/$name

fail() { echo "mutant $name: $*" >&2; exit 1; }

# One field of the mutant; several lines of it are lines of one text.
field() {
    awk -v name="$name" -v key="$1: " '
        /^mutant: / { inside = $2 == name }
        inside && index($0 " ", key) == 1 { print substr($0, length(key) + 1) }
    ' "$here/mutants.txt"
}

file=$(field file)
test=$(field test)
dies=$(field dies)
[ -n "$file" ] && [ -n "$test" ] && [ -n "$dies" ] || fail 'needs the fields file, test and dies'
[ -f "$source/$file" ] || fail "there is no $file"

# The tree as links, but for the one file.
rm -rf "$root"
mkdir -p "$root"
for part in core sync io instrument tests; do
    [ ! -d "$source/$part" ] || cp -rs "$source/$part" "$root/"
done
rm "$root/$file"
FIND=$(field find) WITH=$(field with) NTH=$(field nth) awk '
    { text = text $0 "\n" }
    END {
        find = ENVIRON["FIND"]; rest = text; at = 0
        for (count = 0; (i = index(rest, find)) > 0; rest = substr(text, at + length(find))) {
            at += i + (count++ > 0 ? length(find) - 1 : 0)
            place[count] = at
        }
        nth = ENVIRON["NTH"] == "" && count == 1 ? 1 : ENVIRON["NTH"]
        if (!(nth in place)) {
            print "found " count " times" > "/dev/stderr"
            exit 1
        }
        printf "%s%s%s", substr(text, 1, place[nth] - 1), ENVIRON["WITH"],
            substr(text, place[nth] + length(find))
    }
' "$source/$file" >"$root/$file" || fail "the text to replace is not there once: $(field find)"
! cmp -s "$source/$file" "$root/$file" || fail 'changes nothing'

compile() {
    $cc $flags -w -I"$root/tests/explore" -I"$root/tests" -I"$root/tests/support" -I"$root" \
        -I"$root/core" -I"$root/core/seam" -I"$root/core/include" -I"$root/sync/include" \
        -I"$root/io/include" -I"$root/instrument/include" "$@" ||
        fail 'does not compile'
}

# explore <model file> <arguments>: the test is built from the mutated tree.
# Otherwise <area>/<name> <arguments>: the test and the sources below replace those of the library.
set -- $test
case $1 in
explore)
    sources=$(echo "$models" | sed -n "s/^$2: //p")
    [ -n "$sources" ] || fail "there are no models $2"
    arguments="$(echo "$test" | sed 's/^[^ ]* *[^ ]* *//')"
    (cd "$root" && compile -O2 -DVG_EXPLORE=1 $sources "$explorer" -o program)
    ;;
*)
    sources="tests/${1%/*}/test_${1#*/}.c $(field also)"
    case $file in *.c) sources="$sources $file" ;; esac
    arguments="$(echo "$test" | sed 's/^[^ ]* *//')"
    (cd "$root" && compile $sources $library -o program)
    ;;
esac

status=0
timeout -k 5 100 "$root/program" $arguments >"$root/output" 2>&1 || status=$?
[ $status -ne 0 ] || fail "survives: $test"
grep -qE "$dies" "$root/output" || {
    tail -n 30 "$root/output"
    fail "the test fails with status $status, but not as '$dies'"
}
echo "mutant $name dies: $(grep -E "$dies" "$root/output" | head -n 1)"
rm -rf "$root"
