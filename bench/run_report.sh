# SPDX-License-Identifier: MIT
# For run.sh, which sources it: what ./run has measured and seen, for the screen, as Markdown and as JSON.

# ---- the report --------------------------------------------------------------------------------

commit() {
    git rev-parse --short=12 HEAD 2>/dev/null || { echo unknown && return; }
    [ -z "$(git status --porcelain 2>/dev/null)" ] || echo '(modified)'
}

describe() {
    commit=$(commit | paste -sd ' ' -)
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    cpu="$(nproc) x ${cpu:-$(uname -m)}"
    kernel=$(uname -sr)
    compiler=$($(sed -n 's/^CMAKE_C_COMPILER:[^=]*=//p' $bin/CMakeCache.txt) --version | head -n 1)
}

us() { awk -v us="$1" 'BEGIN { if (us < 1000) print us " us"; else printf "%.2f ms\n", us / 1000 }'; }

load_line() {
    file=$out/wrk-$1.json
    printf '  %-8s %12s %10s %10s %10s %10s %10s\n' "$2" "$(member "$file" requests_per_s)" \
        "$(us "$(member "$file" p50)")" "$(us "$(member "$file" p90)")" \
        "$(us "$(member "$file" p99)")" "$(us "$(member "$file" p999)")" "$(us "$(member "$file" max)")"
}

futurelock_line() {
    file=$out/futurelock-$1-$2.txt
    printf '  %-18s %s; %s; order: %s\n' "$1, healing $2" "$(sed -n 's/^outcome: //p' "$file")" \
        "$(sed -n 's/^futurelocks: \(.*\)/futurelocks: \1/p' "$file")" "$(sed -n 's/^order: //p' "$file")"
}

# first_report <verdict> <file>: from its first line to the ways out.
first_report() {
    awk -v first="^vigil: $1, " '$0 ~ first { on = 1 } on { print } on && /^  ways out/ { exit }' "$2"
}

screen() {
    echo "vigil $commit, $kernel, $cpu, $compiler"
    printf '\nhttp_server under wrk: 50 connections, %s s a route\n' "$seconds"
    printf '  %-8s %12s %10s %10s %10s %10s %10s\n' route requests/s p50 p90 p99 p99.9 max
    load_line page /
    load_line count /count
    load_line sleep /sleep
    printf '\nfrom wake to poll, by await site (%s workers)\n' "$(member $out/http_server.json workers)"
    awk -v top=10 -f bench/sites.awk $out/http_server.json
    printf '\nverdicts on http_server: %s\n' "$(server_verdicts | sed 's/^0$/none/')"
    printf '\nfuturelock (RFD 609), by what becomes of the arm that loses\n'
    futurelock_line cancel on
    futurelock_line keep on
    futurelock_line park on
    futurelock_line park off
    printf '\nthe verdict on park, healing off\n'
    sed -n '/^vigil: futurelock, /,/^  exits/p' $out/futurelock-park-off.err
    printf '\na worker that is blocked\n'
    first_report blocked-worker $out/stuck-sleep.err
    printf '\na future that nothing can wake\n'
    first_report unarmed-pending $out/stuck-forget.err
    printf '\ntwo tasks that wait for each other, and a third behind them\n'
    first_report wait-cycle $out/stuck-cross.err
    printf '\ntasks that wake themselves for nothing\n'
    first_report self-wake-spin $out/stuck-spin.err
    printf '\nthe telemetry, asked while the server was loaded: seconds a page, and some of it\n'
    sed 's/^/  /' $out/scrape.txt
    grep -E '^vigil_(tasks|worker_parks|worker_polls|worker_time|ring_enters|future_wake_pending|instrument_time)' \
        $out/metrics.txt | head -n 20 | sed 's/^/  /'
    printf '\nresume cost: %s\n' "$depth"
    printf '\n'
    cat $out/bench.txt 2>/dev/null || echo 'benchmarks: not measured'
}

markdown() {
    printf '# vigil: report of ./run\n\n```\n'
    cat $out/screen.txt
    printf '```\n\n## What had to happen\n\n'
    sed 's/^ok \(.*\)/- \1/; s/^FAILED \(.*\)/- **FAILED**: \1/' $out/checks.txt
    for name in park-on park-off; do
        printf '\n## The report of futurelock, %s\n\n```\n' "$(echo $name | sed 's/-/, healing /')"
        cat $out/futurelock-$name.err
        printf '```\n'
    done
    for cause in sleep spin; do
        printf '\n## The report of stuck %s\n\n```\n' $cause
        cat $out/stuck-$cause.err
        printf '```\n'
    done
    printf '\n## The metrics under load\n\n```\n'
    cat $out/metrics.txt
    printf '```\n\n## Everything the server measured\n\n```\n'
    cat $out/http_server.txt
    printf '```\n'
}

quote() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }

# The programs' own reports, or null where there is none.
include() { if [ -s "$1" ]; then cat "$1"; else echo null; fi; }

json() {
    printf '{"commit":%s,"kernel":%s,"cpu":%s,"compiler":%s,"seconds":%s,"failures":%s,\n' \
        "$(quote "$commit")" "$(quote "$kernel")" "$(quote "$cpu")" "$(quote "$compiler")" "$seconds" $failures
    printf '"depth_1_ns":%s,"depth_64_ns":%s,"depth_ratio":%s,\n"wrk":{' $depth_figures
    for name in page count sleep; do
        printf '"%s":' $name
        include $out/wrk-$name.json
        [ $name = sleep ] || printf ,
    done
    printf '},\n"http_server":'
    include $out/http_server.json
    printf ',\n"futurelock":['
    for name in cancel-on keep-on park-on park-off; do
        include $out/futurelock-$name.json
        [ $name = park-off ] || printf ,
    done
    printf '],\n"bench":'
    include $out/bench.json
    printf ',\n"checks":[\n'
    awk '{ ok = $1 == "ok"; sub(/^[^ ]* /, ""); gsub(/["\\]/, "\\\\&")
        printf "%s{\"what\":\"%s\",\"ok\":%s}", (NR > 1 ? ",\n" : ""), $0, (ok ? "true" : "false") }' $out/checks.txt
    printf ']}\n'
}
