# SPDX-License-Identifier: MIT
#
# The report of report.sh from its measurements: tables on standard output, and everything as JSON in the file `json`.
#
#     awk -f report.awk -v json=bench.json machine data

# ---- numbers over rounds -----------------------------------------------------------------------

# Sorts list[1..n].
function sort(list, n, i, j, v) {
    for (i = 2; i <= n; i++) {
        v = list[i]
        for (j = i - 1; j > 0 && list[j] > v; j--) list[j + 1] = list[j]
        list[j + 1] = v
    }
}

function quantile(list, n, q, at, low) {
    at = 1 + q * (n - 1)
    low = int(at)
    return low >= n ? list[n] : list[low] + (at - low) * (list[low + 1] - list[low])
}

# Sets median, lower and upper quartile of a column of a row's rounds.
function over_rounds(key, column, list, n, r) {
    delete list
    n = 0
    for (r = 1; r <= rounds[key]; r++) list[++n] = value[key, r, column]
    sort(list, n)
    median = quantile(list, n, 0.5); low = quantile(list, n, 0.25); high = quantile(list, n, 0.75)
    return median
}

# The same of the ratio of two rows, within each round.
function ratio_over_rounds(key, base, list, n, r) {
    delete list
    n = 0
    for (r = 1; r <= rounds[key] && r <= rounds[base]; r++)
        if (value[base, r, 1] > 0) list[++n] = value[key, r, 1] / value[base, r, 1]
    sort(list, n)
    median = quantile(list, n, 0.5); low = quantile(list, n, 0.25); high = quantile(list, n, 0.75)
    return median
}

function ratio_of_medians(key, base) { return over_rounds(key, 1) / over_rounds(base, 1) }

# ---- lines -------------------------------------------------------------------------------------

function ns(v) { return v < 100 ? sprintf("%.1f", v) : sprintf("%.0f", v) }
function spread(v) { return v > 0 ? sprintf("%.0f %%", 100 * (high - low) / v) : "-" }

function targeted(ratio, most) { return sprintf("at most %s: %s", most, ratio <= most ? "met" : "missed") }

function put(item) { items = items (items == "" ? "" : ",\n") item }

function micro(name, text, most, key, cpu, wall, ratio, cpu_low, cpu_high) {
    key = "micro " name
    if (!rounds[key]) return
    wall = over_rounds(key, 2)
    cpu = over_rounds(key, 1); cpu_low = low; cpu_high = high
    ratio = cpu / cas
    printf "  %-44s %8s %8s %8s %8.1f  %s\n", text, ns(cpu), spread(cpu), ns(wall), ratio,
        (most == "" ? "" : targeted(ratio, most))
    put(sprintf("{\"name\":\"%s\",\"cpu_ns\":%.2f,\"cpu_ns_quartiles\":[%.2f,%.2f],\"wall_ns\":%.2f,\"cas\":%.2f%s}",
        name, cpu, cpu_low, cpu_high, wall, ratio, (most == "" ? "" : ",\"most_cas\":" most)))
}

function heading(text, a, b, c, d) { printf "\n%-46s %8s %8s %8s %8s\n", text, a, b, c, d }

# How far apart the medians of the same thing are, and how far one round may be off.
function noise(what, first, second, medians) {
    medians = ratio_of_medians(second, first)
    ratio_over_rounds(second, first)
    printf "  %-44s %8.3f   by round, quartiles: %.3f to %.3f\n", what, medians, low, high
    put(sprintf("{\"name\":\"noise of %s\",\"ratio_of_medians\":%.4f,\"ratio_quartiles\":[%.4f,%.4f]}", first, medians, low, high))
}

function server(kind, name, text, base, key, cpu, spread_text, q) {
    key = kind " " name
    cpu = over_rounds(key, 1)
    spread_text = spread(cpu)
    q = ratio_over_rounds(key, kind " " base)
    printf "  %-28s %8s %8s %8.3f [%.3f %.3f] %9.0f %8.0f us %8.0f %%\n", text, ns(cpu), spread_text, q, low, high,
        over_rounds(key, 3), over_rounds(key, 2), 100 * over_rounds(key, 5)
    ratio_over_rounds(key, kind " " base)
    put(sprintf("{\"name\":\"%s/%s\",\"server_cpu_ns\":%.1f,\"ratio_to\":\"%s\",\"ratio\":%.4f,\"ratio_quartiles\":[%.4f,%.4f]," \
        "\"requests_per_s\":%.0f,\"p99_us\":%.1f}", kind, name, cpu, base, q, low, high, over_rounds(key, 3), over_rounds(key, 2)))
    return q
}

function servers(kind, where, base, q) {
    if (!rounds[kind " vigil"]) return
    base = over_rounds(kind " multishot", 1) <= over_rounds(kind " oneshot", 1) ? "multishot" : "oneshot"
    printf "\necho of 64 bytes, 50 connections, %s\n", where
    printf "  %-28s %8s %8s %8s %15s %9s %11s %10s\n", "server's processor time, ns a request", "", "spread", "ratio", "quartiles", "req/s", "p99", "user"
    server(kind, "multishot", "raw ring, multishot", base)
    server(kind, "oneshot", "raw ring, one-shot", base)
    server(kind, "epoll", "epoll", base)
    q = server(kind, "vigil", "vigil", base)
    printf "    against the better ring, %s\n", targeted(q, 1.15)
    q = ratio_over_rounds(kind " vigil", kind " epoll")
    printf "    against epoll %.3f [%.3f %.3f], %s\n", q, low, high, targeted(q, 1)
    noise("vigil, a second server", kind " vigil", kind " vigil_again")
    q = ratio_over_rounds(kind " vigil", kind " vigil_off")
    printf "  %-44s %8.3f   by round, quartiles: %.3f to %.3f; watchdog %.2f ns\n", "instruments on against off", q, low, high,
        over_rounds(kind " vigil", 4)
    put(sprintf("{\"name\":\"%s/instruments\",\"ratio\":%.4f,\"ratio_quartiles\":[%.4f,%.4f],\"watchdog_ns\":%.3f}", kind, q, low, high,
        over_rounds(kind " vigil", 4)))
}

function level(n, text, key, cpu) {
    key = "micro level/" n
    cpu = over_rounds(key, 1)
    printf "  %-44s %8s %8s %17.3f  watchdog %.2f ns\n", text, ns(cpu), spread(cpu), ratio_over_rounds(key, "micro level/0"),
        over_rounds(key, 3)
    put(sprintf("{\"name\":\"level/%d\",\"cpu_ns\":%.2f,\"ratio_to_off\":%.4f,\"watchdog_ns\":%.3f}", n, cpu,
        ratio_over_rounds(key, "micro level/0"), over_rounds(key, 3)))
}

# ---- input -------------------------------------------------------------------------------------

FILENAME == ARGV[1] || NR == FNR && !($1 ~ /^(micro|echo)/) {
    key = $1
    sub(/^[^ ]* /, "")
    machine[key] = $0
    next
}

{
    key = $1 " " $3
    if ($2 > rounds[key]) rounds[key] = $2
    for (i = 4; i <= NF; i++) value[key, $2, i - 3] = $i
}

END {
    cas = over_rounds("micro floor/cas", 1)
    printf "%s, %s, %s, commit %s\n", machine["cpu"], machine["kernel"], machine["compiler"], machine["commit"]
    printf "load average %s; %d rounds, %d of the servers; medians; spread: distance of the quartiles\n", machine["load"],
        rounds["micro floor/cas"], rounds["echo1 vigil"]

    heading("floors, ns", "cpu", "spread", "wall", "x CAS")
    micro("floor/cas", "compare-and-swap, uncontended")
    micro("floor/clock", "clock_gettime(CLOCK_MONOTONIC)")
    micro("floor/tsc", "processor's counter")
    micro("floor/malloc", "malloc and free of 64 bytes")
    micro("floor/line", "cache line to the other processor (2 x cpu)")
    noise("noise: a yield, measured twice", "micro aa/1", "micro aa/2")

    heading("operations, ns; instruments on", "cpu", "spread", "wall", "x CAS")
    micro("spawn_join/1", "spawn and join, 1 M in waves of 64", 30)
    micro("spawn_join_1m/1", "spawn and join, 1 M alive at once, cold memory")
    micro("spawn_join/2", "spawn and join, waves, 2 workers")
    micro("spawn_join_1m/2", "1 M alive at once, 2 workers")
    micro("yield/1", "yield, 1 task", 8)
    micro("yield/64", "yield, 64 tasks")
    micro("yield/1000", "yield, 1000 tasks")
    micro("ping_pong/1", "ping-pong over oneshots, both ways")
    micro("ping_pong/2", "ping-pong, 2 workers")
    micro("depth/1", "wake and resume, 1 await deep")
    micro("depth/4", "4 awaits deep")
    micro("depth/16", "16 awaits deep")
    micro("depth/64", "64 awaits deep")
    micro("timer_fire", "sleep that ends, 4096 tasks")
    micro("timer_cancel", "timeout around a yield, cancelled")
    micro("io_op", "I/O operation that the kernel refuses, 64 tasks")
    micro("mutex_try", "mutex, free: try and unlock")
    micro("mutex_await", "mutex, free: await and unlock")
    micro("mutex_contended/1", "mutex, handed over, a yield inside")
    micro("mutex_contended/2", "the same, 2 workers")
    micro("oneshot", "oneshot, free: send, and receive awaited")
    micro("mpsc_try", "channel, free: try to send and receive")
    micro("mpsc_1_1/1", "channel of 64, 1 sender, a message")
    micro("mpsc_1_1/2", "the same, 2 workers")
    micro("mpsc_8_1/1", "channel of 64, 8 senders, a message")
    micro("mpsc_8_1/2", "the same, 2 workers")
    micro("mpsc_many_1_1/1", "channel of 64, 1 sender, many received at once")
    micro("mpsc_many_8_1/1", "channel of 64, 8 senders, many received at once")
    micro("broadcast/8", "broadcast to 8 that wait, a receive")
    micro("watch_changed", "watch, a change that is waited for")

    heading("instruments, same program: a yield, ns", "cpu", "spread", "", "ratio")
    level(0, "off")
    level(1, "verdicts")
    level(2, "everything (the default)")

    servers("echo1", "1 worker on CPU 0, load on CPU 1")
    servers("echo2", "2 workers and the load on all CPUs")

    printf "{\"commit\":\"%s\",\"kernel\":\"%s\",\"cpu\":\"%s\",\"compiler\":\"%s\",\"rounds\":%d,\"figures\":[\n%s]}\n",
        machine["commit"], machine["kernel"], machine["cpu"], machine["compiler"], rounds["micro floor/cas"], items >json
}
