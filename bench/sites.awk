# SPDX-License-Identifier: MIT
#
# The busiest await sites of a snapshot in JSON, of which each is on a line of its own, as a table.
#
#     awk -v top=10 -f sites.awk report.json

function text(key) {
    if (!match($0, "\"" key "\":\"([^\"\\\\]|\\\\.)*\""))
        return ""
    return substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 5)
}

# The first number of that name behind the first `from`.
function number(from, key, rest) {
    rest = substr($0, index($0, "\"" from "\":"))
    if (!match(rest, "\"" key "\":[0-9]+"))
        return 0
    return substr(rest, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0
}

function duration(ns) {
    if (ns < 1e3) return ns " ns"
    if (ns < 1e6) return sprintf("%.1f us", ns / 1e3)
    if (ns < 1e9) return sprintf("%.1f ms", ns / 1e6)
    return sprintf("%.2f s", ns / 1e9)
}

function place(file, expr) {
    file = text("file")
    expr = text("expr")
    sub(/.*\//, "", file)
    gsub(/\\"/, "\"", expr)
    return file == "" ? "(bare roots, queued tasks)" : file ":" number("file", "line") "  " expr
}

/"sites":\[/ {
    sites = 1
    printf "  %-66s %9s %9s %9s %9s\n", "await site", "answered", "p50", "p99", "max"
    sub(/.*"sites":\[/, "")
}

sites && n < top && /^\{/ {
    n++
    printf "  %-66s %9d %9s %9s %9s\n", substr(place(), 1, 66), number("file", "count"),
        duration(number("total_ns", "p50")), duration(number("total_ns", "p99")),
        duration(number("total_ns", "max"))
}
