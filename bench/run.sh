#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/.."

usage() {
    cat <<END
usage: ./run [--seconds N]
       ./run serve [--listen ADDR:PORT]
       ./run bench [--rounds N] [--quick] [--only PATTERN] [--peers] [--against REV]
       ./run bench --count [--only PATTERN]

vigil's main job. Installs what is missing (on Debian), builds the release preset, puts a server under load on
the loopback, catches a futurelock, and says what happened: on the screen, in build/report/report.md and in
build/report/report.json. Exits with 0 only if everything happened as it must.

  --seconds N         how long to load each of the server's routes, 1 to 600; by default 5
  serve               build, then run the HTTP server until Ctrl-C
  --listen ADDR:PORT  where it listens; by default 127.0.0.1:8080
  bench               build, then only measure: operations of the runtime, and echo servers; on the screen, in
                      build/report/bench.json, and with plots in build/report/bench.html
  --rounds N          how often to measure everything, 1 to 999; by default 5
  --quick             a twentieth of the operations, and only the main rows
  --only PATTERN      only benchmarks whose name it is found in, a regular expression
  --peers             build bench/peers, other runtimes, and measure them in the same rounds
  --against REV       build that commit too, and measure it in the same rounds; exits with 1 if something has
                      become slower by more than 3 % beyond the spread
  --count             instead of times, instructions and atomic read-modify-writes of each operation, counted by valgrind
END
}

refuse() {
    printf 'run: %s\n' "$1" >&2
    usage >&2
    exit 2
}

mode=job
seconds=5
listen=
rounds=
quick=
only=
peers=
against=
count=
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    serve | bench) mode=$1 ;;
    --quick) quick=--quick ;;
    --peers) peers=--peers ;;
    --count) count=--count ;;
    --seconds | --listen | --rounds | --only | --against)
        [ $# -gt 1 ] && [ -n "$2" ] || refuse "$1 needs a value"
        case $1 in
        --seconds) seconds=$2 ;;
        --listen) listen=$2 ;;
        --rounds) rounds=$2 ;;
        --only) only=$2 ;;
        --against) against=$2 ;;
        esac
        shift
        ;;
    *) refuse "what is '$1'?" ;;
    esac
    shift
done
case $seconds in
'' | *[!0-9]* | ????*) refuse "--seconds cannot be '$seconds'" ;;
esac
[ "$seconds" -ge 1 ] && [ "$seconds" -le 600 ] || refuse "--seconds cannot be '$seconds'"
[ -z "$listen" ] || [ $mode = serve ] || refuse '--listen goes with serve'
[ -z "$rounds$quick$only$peers$against$count" ] || [ $mode = bench ] || refuse 'that goes with bench'
[ -z "$count" ] || [ -z "$rounds$quick$peers$against" ] || refuse 'with --count, only --only'
rounds=${rounds:-5}
case $rounds in
0* | *[!0-9]* | ????*) refuse "--rounds cannot be '$rounds'" ;;
esac

[ -z "$against" ] || against=$(git rev-parse --verify --quiet --short=12 "$against^{commit}") ||
    refuse '--against: there is no such commit'

bin=build/release
out=build/report
began=$(date +%s)

step() { printf '[%4d s] %s\n' $(($(date +%s) - began)) "$*"; }

step 'packages'
sh cmake/setup-debian.sh $peers $count
step 'build'
cmake --preset release >/dev/null
cmake --build --preset release --target programs
if [ $mode = serve ]; then
    listen=${listen:-127.0.0.1:8080}
    echo "serving http://$listen/, /count and /sleep until Ctrl-C"
    exec $bin/examples/http_server --listen "$listen"
fi

report="python3 -B bench/report --build $bin --out $out --rounds $rounds"

. bench/run_bench.sh
[ $mode != bench ] || run_bench

rm -rf $out
mkdir -p $out

# ---- processes ---------------------------------------------------------------------------------

server=
client=

# Runs a program so that a signal to this script ends it too. Returns its exit code.
run_client() {
    "$@" &
    client=$!
    code=0
    wait $client || code=$?
    client=
    return $code
}

clean_up() {
    trap - EXIT INT TERM
    for pid in $client $server; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- what must have happened -------------------------------------------------------------------

failures=0
: >$out/checks.txt

# must <what> <command that is true if it holds>...
must() {
    what=$1
    shift
    if "$@"; then
        printf 'ok %s\n' "$what" >>$out/checks.txt
    else
        printf 'FAILED %s\n' "$what" >>$out/checks.txt
        printf '         FAILED: %s\n' "$what"
        failures=$((failures + 1))
    fi
}

equal() { [ "$1" = "$2" ]; }
has() { grep -q -- "$1" "$2" 2>/dev/null; }
none() { ! has "$@"; }
promtool_accepts() { promtool check metrics <"$1" >$out/promtool.txt 2>&1; }

# The value of a member of a flat JSON object.
member() { sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p" "$1" | head -n 1; }

# ---- the server under load ---------------------------------------------------------------------

start_server() {
    $bin/examples/http_server --listen 127.0.0.1:0 --telemetry 127.0.0.1:0 --report $out/http_server.json \
        >$out/http_server.txt 2>$out/http_server.err &
    server=$!
    tries=100
    until address=$(sed -n 's/^listening on //p' $out/http_server.txt) && [ -n "$address" ]; do
        tries=$((tries - 1))
        if [ $tries -eq 0 ] || ! kill -0 $server 2>/dev/null; then
            cat $out/http_server.err >&2
            echo 'run: http_server did not start' >&2
            exit 1
        fi
        sleep 0.1
    done
    telemetry=$(sed -n 's/^telemetry on //p' $out/http_server.txt)
}

# What Prometheus would fetch, while the server is busy.
scrape() {
    for page in metrics tasks verdicts; do
        curl -sf -m 5 -o $out/$page.txt -w "$page %{time_total}\n" "http://$telemetry/$page" || echo "$page failed"
    done >$out/scrape.txt
}

# load <name> <path>
load() {
    step "load: 50 connections for $seconds s on http://$address$2"
    (sleep "$(awk -v s="$seconds" 'BEGIN { print s / 2 }')" && scrape) &
    scraper=$!
    code=0
    run_client wrk -t2 -c50 -d"${seconds}s" --timeout 10s --latency -s bench/wrk.lua \
        "http://$address$2" >"$out/wrk-$1.txt" 2>"$out/wrk-$1.json" || code=$?
    wait $scraper || true
    must "wrk runs on $2" equal $code 0
    must "the telemetry answers while $2 is loaded" none failed $out/scrape.txt
    must "promtool accepts what it says then" promtool_accepts $out/metrics.txt
    must "no socket error and no bad status on $2" \
        has '"errors":{"connect":0,"read":0,"write":0,"timeout":0,"status":0}' "$out/wrk-$1.json"
    must "requests are answered on $2" has '"requests":[1-9]' "$out/wrk-$1.json"
}

stop_server() {
    kill -TERM $server
    code=0
    wait $server || code=$?
    server=
    must 'the server drains on SIGTERM and exits with 0' equal $code 0
    must 'the server has reported' has '"liveness":' $out/http_server.json
    must 'the server reports await sites' has 'http_connection.c' $out/http_server.json
    must 'no verdict on the server' equal "$(server_verdicts)" 0
    must 'nothing from the server on stderr' test ! -s $out/http_server.err
}

# Reports of all kinds, as the server counted them.
server_verdicts() {
    awk '/ reported +[0-9]+ suppressed/ { kinds++; n += $2 } END { print kinds ? n : "none counted" }' \
        $out/http_server.txt
}

# ---- the futurelock ----------------------------------------------------------------------------

# futurelock <policy> <healing> <exit code> <order> <futurelocks and healed>
futurelock() {
    name=futurelock-$1-$2
    step "futurelock: --policy $1 --healing $2"
    code=0
    run_client $bin/examples/futurelock --policy "$1" --healing "$2" --deadline 1500 \
        --report "$out/$name.json" >"$out/$name.txt" 2>"$out/$name.err" || code=$?
    must "$name exits with $3" equal $code "$3"
    must "$name: order is $4" has "^order: $4\$" "$out/$name.txt"
    must "$name: $5" has "^futurelocks: $5\$" "$out/$name.txt"
    must "$name has reported" has '"liveness":' "$out/$name.json"
    case $5 in
    0*) must "$name says nothing on stderr" test ! -s "$out/$name.err" ;;
    *)
        must "$name names the child" has 'starved .*lock in do_thing at .*futurelock.c:[0-9]' "$out/$name.err"
        must "$name names who parked it" has 'parked by do_stuff' "$out/$name.err"
        must "$name names the mutex" has 'mutex "db"' "$out/$name.err"
        ;;
    esac
}

# ---- busy, or stuck ----------------------------------------------------------------------------

# stuck <cause> <what the report has to say>...
stuck() {
    cause=$1
    shift
    step "stuck $cause"
    code=0
    run_client $bin/examples/stuck "$cause" >$out/stuck-$cause.txt 2>$out/stuck-$cause.err || code=$?
    must "stuck $cause is reported" equal $code 0
    for words; do must "its report says '$words'" has "$words" $out/stuck-$cause.err; done
}

. bench/run_report.sh

# ---- the job -----------------------------------------------------------------------------------

step 'start http_server'
start_server
load page /
load count /count
load sleep /sleep

futurelock cancel on 0 'background op2' '0 reported, 0 healed'
futurelock keep on 0 'background op1 op2' '0 reported, 0 healed'
futurelock park on 0 'background op2 op1' '1 reported, 1 healed'
futurelock park off 3 'background' '1 reported, 0 healed'

stuck sleep 'blocked-worker, confirmed' 'asleep in the kernel' 'every worker is blocked' 'sleep_in_the_kernel.* at '
stuck spin 'self-wake-spin, confirmed'
stuck forget 'unarmed-pending, confirmed' 'next_event in listen at '
stuck cross 'wait-cycle, confirmed' '2 tasks wait for one another' 'for mutex "alice"' 'for mutex "bob"'

step 'stop http_server'
stop_server

step 'resume cost: depth/64 against depth/1'
code=0
run_client sh bench/depth_ratio.sh $bin/bench/vigil_bench >$out/depth.txt || code=$?
must 'resuming 64 awaits deep costs at most 1.5 times one deep' equal $code 0
if [ -s $out/depth.txt ]; then
    read -r one many ratio bound <$out/depth.txt
    depth="$one ns at depth 1, $many ns at depth 64: ratio $ratio (at most $bound)"
    depth_figures="$one $many $ratio"
else
    depth='not measured'
    depth_figures='null null null'
fi

step "benchmarks: $rounds rounds"
code=0
run_client $report --quick >/dev/null 2>$out/bench.err || code=$?
must 'the benchmarks and echo servers run' equal $code 0

step 'report'
describe
screen >$out/screen.txt
markdown >$out/report.md
json >$out/report.json
echo
cat $out/screen.txt
printf '\n%s and %s\n' $out/report.md $out/report.json
if [ $failures -gt 0 ]; then
    printf '%s of %s checks FAILED\n' $failures "$(wc -l <$out/checks.txt)"
    exit 1
fi
printf 'all %s checks passed\n' "$(wc -l <$out/checks.txt)"
