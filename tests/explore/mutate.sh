#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes one mutant, builds the test that must find it, and succeeds if that test fails as it should.
#
#     mutate.sh <mutants.conf> <mutant>
#
# Mutants: one small error each, which a named test must find. Whoever changes the mutated line will
# find here what depends on it; a mutant whose text is no longer there fails.
#
#   mutant: name          also the name of its test, mutant/<name>
#   file: path            from the root of the tree
#   find: text            to be replaced; must occur exactly once. Several find lines are one text, and how
#                         it is broken into lines does not matter
#   nth: n                if it occurs several times: which
#   with: text            the replacement; none: the text is left out
#   test: explore m args  the models of explore_<m>.c, compiled from the mutated tree, run with args
#   test: area/name args  tests/<area>/test_<name>.c, or all of the directory tests/<area>/<name>, with the mutated file in place
#                         of the library's
#   also: path...         for the latter: more sources to compile from the mutated tree (users of a header)
#   dies: pattern         extended regular expression that the output of the failing test must match. The
#                         explorer prints FOUND and: assertion, race, freed, lost-wake, deadlock
#
# Fields start at the beginning of the line, and their text after exactly one blank.
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
    ' "$here"/mutants/*.txt
}

file=$(field file)
test=$(field test)
dies=$(field dies)
[ -n "$file" ] && [ -n "$test" ] && [ -n "$dies" ] || fail 'needs the fields file, test and dies'
[ -f "$source/$file" ] || fail "there is no $file"

# The one file; of a header, which others find beside themselves, the tree as links around it.
rm -rf "$root"
mkdir -p "$root/$(dirname "$file")"
case $file in
*.h)
    at=
    for part in $(echo "$file" | tr / ' '); do
        (cd "$source/$at" && find "$PWD" -mindepth 1 -maxdepth 1 ! -name "$part" -exec ln -s -t "$root/$at" {} +)
        at=$at$part/
    done
    ;;
esac
FIND=$(field find) WITH=$(field with) NTH=$(field nth) awk '
    # The text as an expression; where it has blanks or line ends there may be any of them.
    function expression(text,    i, c, result) {
        for (i = 1; i <= length(text); i++) {
            c = substr(text, i, 1)
            if (c ~ /[ \n]/)
                result = result (result ~ /[+]$/ ? "" : "[ \n]+")
            else if (c == "^" || c == "\\")
                result = result "\\" c
            else
                result = result "[" c "]"
        }
        return result
    }
    { text = text $0 "\n" }
    END {
        find = expression(ENVIRON["FIND"])
        nth = ENVIRON["NTH"]
        rest = text
        for (at = 0; match(rest, find); rest = substr(text, at + 1)) {
            count++
            from[count] = at + RSTART
            at += RSTART + RLENGTH - 1
            to[count] = at
        }
        if (nth == "" && count == 1)
            nth = 1
        if (!(nth in to)) {
            print "found " count + 0 " times" > "/dev/stderr"
            exit 1
        }
        printf "%s%s%s", substr(text, 1, from[nth] - 1), ENVIRON["WITH"], substr(text, to[nth] + 1)
    }
' "$source/$file" >"$root/$file" || fail "the text to replace is not there once: $(field find)"
! cmp -s "$source/$file" "$root/$file" || fail 'changes nothing'

includes=
for tree in "$root" "$source"; do
    for part in tests/explore tests tests/support . core core/seam core/include sync/include io/include instrument/include; do
        includes="$includes -I$tree/$part"
    done
done
includes="$includes -I$source/$(dirname "$file")"

compile() {
    $cc $flags -w $includes "$@" || fail 'does not compile'
}

# in_tree <source>: where it is to be taken from.
in_tree() {
    if [ -e "$root/$1" ]; then echo "$1"; else echo "$source/$1"; fi
}

# find_object <model> <source>: what the build has made of it, below the directory of the build.
find_object() {
    case $2 in
    tests/explore/*) object=${2#tests/explore/} ;;
    *) object=__/__/$2 ;;
    esac
    object=tests/explore/CMakeFiles/explore_$1.dir/$object.o
}

# find_stale <object>...: those that the mutation reaches, in one line.
find_stale() {
    for object; do
        [ -e "$build/$object" ] || fail "is not built: $object"
    done
    ninja -C "$build" -n -t deps "$@" |
        awk -v file="$source/$file" '/^[^ ]/ { object = $1; sub(/:$/, "", object) } $1 == file { printf "%s ", object }'
}

# find_test <area> <name>: likewise, of a test. Where an area has rules of its own, so it has a directory of its own.
find_test() {
    objects=$build/tests/$1/CMakeFiles/test_$1_$2.dir
    [ -d "$objects" ] || objects=$build/tests/CMakeFiles/test_$1_$2.dir/$1
    [ ! -d "$source/tests/$1/$2" ] || objects=$objects/$2
    for object in "$objects"/*.o; do
        echo "${object#"$build"/}"
    done
}

# explore <model file> <arguments>: the test is built from the mutated tree.
# Otherwise <area>/<name> <arguments>: the test and the sources below replace those of the library.
set -- $test
case $1 in
explore)
    sources=$(echo "$models" | sed -n "s/^$2: //p")
    [ -n "$sources" ] || fail "there are no models $2"
    arguments="$(echo "$test" | sed 's/^[^ ]* *[^ ]* *//')"
    objects=
    for part in $sources; do
        find_object $2 "$part"
        objects="$objects $object"
    done
    stale=$(find_stale $objects)
    objects=
    for part in $sources; do
        find_object $2 "$part"
        case " $stale " in
        *" $object "*)
            object=$(echo "$part" | tr / _).o
            case $part in tests/*) hooks= ;; *) hooks=-fsanitize=thread ;; esac
            (cd "$root" && compile -O2 -DVG_EXPLORE=1 $hooks -c "$(in_tree "$part")" -o "$object") ;;
        *) object=$build/$object ;;
        esac
        objects="$objects $object"
    done
    (cd "$root" && compile $objects "$explorer" -o program)
    ;;
*)
    area=${1%/*} test_name=${1#*/}
    directory=tests/$area
    [ ! -d "$source/tests/$1" ] || directory=tests/$1
    sources=
    for part in $(field also); do
        sources="$sources $(in_tree "$part")"
    done
    case $file in *.c) sources="$sources $file" ;; esac
    objects=$(find_test "$area" "$test_name")
    stale=$(find_stale $objects)
    for object in $objects; do
        case " $stale " in
        *" $object "*) sources="$sources $(in_tree "$directory/$(basename "$object" .o)")" ;;
        *) sources="$sources $build/$object" ;;
        esac
    done
    arguments="$(echo "$test" | sed 's/^[^ ]* *//')"
    (cd "$root" && compile $sources $library -o program)
    ;;
esac

status=0
VIGIL_TIMEOUT=8 timeout -k 5 100 "$root/program" $arguments >"$root/output" 2>&1 || status=$?
[ $status -ne 0 ] || fail "survives: $test"
grep -qE "$dies" "$root/output" || {
    tail -n 30 "$root/output"
    fail "the test fails with status $status, but not as '$dies'"
}
echo "mutant $name dies: $(grep -E "$dies" "$root/output" | head -n 1)"
rm -rf "$root"
