# SPDX-License-Identifier: MIT
"""Which plots there are of a report, as it is in bench.json."""

import math

import plan
import plots

# A series keeps its colour in all plots.
SERIES = ["vigil", "tokio", "smol", "go", "rayon", "tbb", "libuv", "before", "ring multishot", "ring oneshot", "epoll",
          "vigil level 0"]


def class_of(name):
    return f"s{SERIES.index(name)}" if name in SERIES else "s11"


def find(report, bench, workers):
    return next((row for row in report["figures"] if (row["name"], row["workers"]) == (bench, workers)), None)


APART = ("echo/", "level/", "floor/", "http", "mem_connection")


def micro(report):
    return [row for row in report["figures"] if not row["name"].startswith(APART)]



def comparison(report):
    """How many times as much others' cost, of everything."""
    names = list(dict.fromkeys(row["name"] for row in micro(report)))
    rows = []
    for name in names:
        row = find(report, name, 2) or find(report, name, 1)
        marks = [(other, class_of(other), found["times"], *found["times_quartiles"])
                 for other, found in row["others"].items() if found["times_quartiles"][0] > 0]
        if marks:
            rows.append((row["title"], marks))
    return plots.dots("times as much as vigil's; right of the line: vigil costs less", rows, "as vigil") if rows else ""


UNITS = {"wall": "ns", "cpu": "ns of processor time", "bytes": "bytes"}


def panel(report, name):
    """Bars of one benchmark: vigil with 1 and 2 workers, and others with as many as the last."""
    rows = [row for row in (find(report, name, 1), find(report, name, 2)) if row]
    marks = []
    for row in rows:
        text = "vigil" if len(rows) == 1 else f"vigil, {row['workers']} worker" + ("s" if row["workers"] > 1 else "")
        marks.append((text, "s0 pale" if row is not rows[-1] else "s0", row["value"], *row["quartiles"]))
    for other, found in rows[-1]["others"].items():
        marks.append((other, class_of(other), found["value"], *found["quartiles"]))
    title = rows[-1]["title"] + (" (processor time)" if rows[-1]["measure"] == "cpu" else "")
    return plots.bars(title, marks, UNITS[rows[-1]["measure"]])


def panels(report):
    return "".join(panel(report, name) for name in dict.fromkeys(row["name"] for row in micro(report)))


def server_panels(report):
    found = []
    for row in report["figures"]:
        if row["name"].startswith("echo/"):
            _, size, connections = row["name"].split("/")
            title = f"{bytes_of(size)}, {connections} connections, {row['workers']} worker" + ("s" if row["workers"] > 1 else "")
            marks = [("vigil", "s0", row["value"], *row["quartiles"])]
            marks += [(other, class_of(other), o["value"], *o["quartiles"]) for other, o in row["others"].items()]
            found.append(plots.bars(title, marks, UNITS["cpu"]))
    return "".join(found)


def by_load(report):
    """Processor time of a request against the number of connections."""
    series = {}
    for connections in (1, 50, 1000):
        row = find(report, f"echo/64/{connections}", 1)
        if row:
            series.setdefault("vigil", []).append((connections, row["value"], *row["quartiles"]))
            for other, o in row["others"].items():
                series.setdefault(other, []).append((connections, o["value"], *o["quartiles"]))
    return lines_of("cost against load", series, "connections", "ns of processor time a request")


def by_workers(report):
    """Of vigil's own, relative to one worker."""
    series = {}
    for row in micro(report):
        one = find(report, row["name"], 1)
        if one and row["name"] in plan.MORE_WORKERS:
            series.setdefault(row["name"], []).append((row["workers"], row["value"], *row["quartiles"]))
    return lines_of("cost against workers", series, "workers", "ns an operation")


def by_depth(report):
    series = {}
    for depth in (1, 4, 16, 64):
        row = find(report, f"depth/{depth}", 1)
        if row:
            series.setdefault("vigil", []).append((depth, row["value"], *row["quartiles"]))
            for other, o in row["others"].items():
                series.setdefault(other, []).append((depth, o["value"], *o["quartiles"]))
    return lines_of("cost against depth", series, "awaits between task and leaf", "ns to wake and resume", log_y=len(series) > 1)


def lines_of(title, series, x_title, y_title, log_y=True):
    found = [(name, class_of(name) if name in SERIES else f"s{i % 12}", points)
             for i, (name, points) in enumerate(series.items()) if len(points) > 1]
    return plots.lines(title, found, x_title, y_title, log_y) if found else ""


def bytes_of(size):
    return f"{int(size) // 1024} KiB" if int(size) >= 1024 else f"{size} B"


def waits(report):
    """From wake to poll: the part of the wakes that were answered sooner than a time."""
    series = []
    for i, (shape, counts) in enumerate(report["wake_to_poll"].items()):
        total = counts.get("+Inf", 0)
        points = [(float(bound) * 1e6, 100 * count / total, 100 * count / total, 100 * count / total)
                  for bound, count in counts.items() if bound != "+Inf" and total > 0 and float(bound) < 1]
        if points:
            workers, size, connections = shape.split("/")
            series.append((f"{connections} x {bytes_of(size)}, {workers}w", f"s{i}", points))
    ticks = [(10.0 ** e, text) for e, text in ((0, "1 us"), (2, "100 us"), (4, "10 ms"), (math.log10(2.5e5), "250 ms"))]
    return plots.lines("from wake to poll", series, "time from wake to poll", "% of wakes answered sooner", log_y=False,
                       x_ticks=ticks, y_range=(0, 100), y_text=lambda value: f"{value:.0f}") if series else ""
