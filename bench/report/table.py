# SPDX-License-Identifier: MIT
"""The report as text."""

import plan

TITLE = 46


def number(value):
    if value is None:
        return "-"
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def percent(part):
    return f"{100 * part:.0f} %"


def times(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def comparison(row, other):
    found = row["others"].get(other)
    return f"{times(found['times'])} {found['verdict']}" if found else ""


def heading(text, others):
    columns = "".join(f"{other:>13}" for other in others)
    return f"\n{text:{TITLE}} {'workers':>7} {'wall':>8} {'spread':>7} {'cpu':>8} {'x CAS':>7}{columns}"


def line(row, others):
    wall = row["value"] if row["measure"] == "bytes" else row["wall_ns"]
    columns = "".join(f"{comparison(row, other):>13}" for other in others)
    return (f"  {row['title']:{TITLE - 2}} {row['workers']:7} {number(wall):>8} {percent(row['spread']):>7} "
            f"{number(row['cpu_ns']):>8} {number(row['cas']):>7}{columns}").rstrip()


def benchmarks(rows):
    """ns of an operation; columns of others: how many times as much theirs costs."""
    micro = [row for row in rows if not is_server(row)]
    others = list(dict.fromkeys(other for row in micro for other in row["others"]))
    lines = []
    for text, benches in plan.groups(list(dict.fromkeys(row["name"] for row in micro))):
        lines.append(heading(text, others))
        lines += [line(row, others) for bench in benches for row in micro if row["name"] == bench]
    return lines


def is_server(row):
    return row["name"].startswith("echo/") or row["name"] in ("http", "mem_connection")


def levels(rows):
    """The instruments' part, as ratios to off."""
    return [f"  {row['title']:{TITLE - 2}} {row['of_off']:8.3f} of off, processor time; watchdog "
            f"{row.get('watchdog_ns', 0):.2f} ns" for row in rows if row.get("of_off")]


def where(row):
    _, size, connections = row["name"].split("/")
    placed = ("1 worker on a processor of its own" if row["workers"] == 1 else
              f"{row['workers']} workers and the load on all processors")
    return f"echo of {size} bytes, {connections} connections, {placed}"


def servers(rows):
    lines = []
    for row in rows:
        if not row["name"].startswith("echo/"):
            continue
        lines.append(f"\n{where(row)}")
        lines.append(f"  {'server, processor time of a request':{TITLE - 2}} {'ns':>8} {'spread':>7} {'ratio':>8}  quartiles")
        lines.append(f"  {'vigil':{TITLE - 2}} {number(row['value']):>8} {percent(row['spread']):>7} {'1.000':>8}"
                     f"  {1e9 / row['wall_ns']:.0f} requests/s, p99 {row['p99_us']:.0f} us, user {percent(row['user'])},"
                     f" watchdog {row.get('watchdog_ns', 0):.1f} ns")
        for name, other in row["others"].items():
            spread = (other["quartiles"][1] - other["quartiles"][0]) / other["value"]
            lines.append(f"  {name:{TITLE - 2}} {number(other['value']):>8} {percent(spread):>7} {other['times']:8.3f}"
                         f"  [{other['times_quartiles'][0]:.3f} {other['times_quartiles'][1]:.3f}] {other['verdict']}")
    return lines


def rest(rows):
    lines = []
    for row in rows:
        if row["name"] == "http":
            lines.append(f"\nHTTP server, 1 worker, 50 connections of wrk: {number(row['value'])} ns of processor time a "
                         f"request, spread {percent(row['spread'])}; {1e9 / row['wall_ns']:.0f} requests/s, p99 {row['p99_us']:.0f} us")
        if row["name"] == "mem_connection":
            theirs = ", ".join(f"{name} {other['value']:.0f}" for name, other in row["others"].items())
            lines.append(f"\nmemory of the process for a connection, bytes: vigil {row['value']:.0f}; {theirs}")
    return lines


def noise(found):
    lines = ["\nnoise: the same thing twice, second / first"]
    for again in found:
        lines.append(f"  {again['name']:{TITLE - 2}} {again['workers']:7} {again['ratio']:8.3f}   by round, quartiles: "
                     f"{again['quartiles'][0]:.3f} to {again['quartiles'][1]:.3f}")
    return lines


def targets(results):
    lines = []
    for result in results:
        if result["met"] is None:
            continue
        lines.append(f"  {result['text']:{TITLE + 8}} {result['got']:>14}  {'met' if result['met'] else 'missed'}")
    if lines:
        met = sum(1 for result in results if result["met"])
        lines.insert(0, f"\ntargets (bench/targets.txt): {met} of {len(lines)} met; what bounds the others: docs/limits.md")
    return lines


def report(machine, rounds, rows, found, results, failures):
    lines = [f"{machine['cpu']}, {machine['kernel']}, {machine['compiler']}, commit {machine['commit']}",
             f"load average {machine['load']} before the start; {rounds} rounds; medians; ns of an operation; spread: "
             "distance of the quartiles; columns of others:", "how many times as much theirs costs; ahead or behind: by more "
             "than the spread and the noise of this run"]
    lines += noise(found) + benchmarks(rows) + levels(rows) + servers(rows) + rest(rows) + targets(results)
    lines += [f"\nnot measured: {what}: {why}" for what, why in failures.items()]
    return "\n".join(lines) + "\n"
