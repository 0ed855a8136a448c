# SPDX-License-Identifier: MIT
#
# Prints C files as "path:line:code" without comments; with -v bare=1 also without what is inside string and
# character literals. Line continuations and raw strings are not treated specially.

FNR == 1 { in_comment = 0 }

{
    out = ""
    n = length($0)
    for (i = 1; i <= n; i++) {
        c = substr($0, i, 1)
        two = substr($0, i, 2)
        if (in_comment) {
            if (two == "*/") {
                in_comment = 0
                i++
                out = out " "
            }
        } else if (two == "/*") {
            in_comment = 1
            i++
        } else if (two == "//") {
            break
        } else if (c == "\"" || c == "'") {
            start = i
            for (i++; i <= n && substr($0, i, 1) != c; i++)
                if (substr($0, i, 1) == "\\")
                    i++
            out = out (bare ? c c : substr($0, start, i - start + 1))
        } else {
            out = out c
        }
    }
    print FILENAME ":" FNR ":" out
}
