# SPDX-License-Identifier: MIT
#
# Prints, of the stripped lines that strip.awk made, each read-modify-write operation as "path:line:vg_cas(...)" on
# one line.

{
    split($0, part, ":")
    text = substr($0, length(part[1]) + length(part[2]) + 3)
    if (depth == 0 && part[3] !~ /# *define/) {
        at = match(text, /vg_(xchg|cas|fetch_[a-z]+)\(/)
        if (!at)
            next
        place = part[1] ":" part[2]
        text = substr(text, at)
        call = ""
    } else if (depth == 0) {
        next
    }
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        call = call c
        depth += c == "("
        if (c == ")" && --depth == 0) {
            print place ":" call
            break
        }
    }
}
