#!/bin/sh
# SPDX-License-Identifier: MIT
#
# No false report: a server under a mixed load makes no verdict of any kind and prints nothing on stderr.
#
#     soak.sh <programs> <tools> <cmake> <load|quota|stop> [<directory of echo_load>]
#
# The server is http_server, or echo_server if there is an echo_load.
#
#     load   nothing else happens
#     quota  the server has a fifth of a processor, by a cgroup of its own
#     stop   the server is stopped for 5 s, again and again
#
# VIGIL_SOAK: for how many seconds; by default 600 in a long run and 6 otherwise, in which it stops for 2 s.
. "$(dirname "$0")/lib.sh"
kind=$4
echo_load=${5:+$5/echo_load}
if [ -n "${VIGIL_LONG-}" ]; then seconds=600 stopped=5; else seconds=6 stopped=2; fi
seconds=${VIGIL_SOAK:-$seconds}
group=

remove_group() {
    clean_up
    [ -z "$group" ] || until_true 5 rmdir "$group" 2>/dev/null || echo "cannot remove $group"
}
trap remove_group EXIT

# Both versions of the controller, wherever they are mounted. A fifth: 20 ms of each 100 ms.
make_group() {
    name=vigil-soak-$$
    v1=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpu(,|$)/ { print $2; exit }' /proc/mounts)
    v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    if [ -n "$v1" ] && mkdir "$v1/$name" 2>/dev/null; then
        group=$v1/$name
        echo 100000 >"$group/cpu.cfs_period_us" && echo 20000 >"$group/cpu.cfs_quota_us" && return 0
    elif [ -n "$v2" ] && mkdir "$v2/$name" 2>/dev/null; then
        group=$v2/$name
        [ -e "$group/cpu.max" ] && echo '20000 100000' >"$group/cpu.max" && return 0
    fi
    return 1
}

throttled() { sed -n 's/^nr_throttled //p' "$group/cpu.stat"; }

load_http() {
    for path in / /count /sleep; do
        wrk -t1 -c16 -d$((seconds + 60))s "$url$path" >/dev/null 2>&1 &
        others="$others $!"
    done
}

load_echo() {
    for size in 64 1000 100000; do
        "$echo_load" --connect 127.0.0.1:$port --connections 16 --size $size --seconds $seconds \
            >"$tmp/load.$size" 2>&1 &
        others="$others $!"
    done
}

# What all of them have got back.
echoed() {
    for pid in $others; do wait $pid || failed "a load ended with $?"; done
    others=
    requests=0
    for size in 64 1000 100000; do
        requests=$((requests + $(json "$tmp/load.$size" requests)))
    done
}

# All the time there is, in slices of which each begins with a stop.
stop_and_go() {
    end=$(($(date +%s) + seconds))
    while [ "$(date +%s)" -lt $end ]; do
        kill -STOP $server
        sleep $stopped
        kill -CONT $server
        sleep $stopped
        stops=$((stops + 1))
    done
}

# The server as it is while it runs; its snapshot says nothing that the report would not.
looks() {
    kill -USR1 $server
    wait_for "$tmp/out" '^wake to poll' || failed 'no snapshot'
}

if [ $kind = quota ]; then
    make_group || { echo 'no cpu controller of cgroups can be written here'; exit 77; }
    inside=$group/cgroup.procs
fi
stops=0
if [ -n "$echo_load" ]; then server_kind=echo; else server_kind=http; fi
start ${server_kind}_server --drain 60 --report "$tmp/report.json"
load_$server_kind
if [ $kind = stop ]; then stop_and_go; else sleep $seconds; fi
looks
[ $server_kind = http ] || echoed
stop
same 'exit code' $code 0
same 'stderr' "$(cat "$tmp/err")" ''
same 'verdicts' "$(verdicts "$tmp/report.json")" 0
[ $server_kind = echo ] || requests=$(json "$tmp/report.json" server requests)
[ "$requests" -gt $((seconds * 10)) ] || failed "only $requests requests in $seconds s: that is no load"
[ $kind != quota ] || [ "$(throttled)" -gt $((seconds * 2)) ] || failed 'the quota did not bind'
[ $kind = quota ] || [ $kind = load ] || [ $stops -gt 0 ] || failed 'the server was never stopped'
case $kind in
quota) count "$(throttled)" 'periods in which the quota of a server under load was used up' ;;
stop) count $stops "stops of a server under load, for $stopped s each" ;;
esac
count $seconds "seconds of load without a false report, $server_kind, $kind"
count "$requests" "requests served without a false report, $server_kind, $kind"
finish
