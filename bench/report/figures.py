# SPDX-License-Identifier: MIT
"""From samples to what tables, plots and bench.json say. One dict for each row."""

import plan
import programs
import stats

CAS = ("vigil", "floor/cas", 1)


class Noise:
    """How far a thing is from itself in this run: benchmarks and servers have one figure each."""

    def __init__(self, samples):
        self.ratios = {}
        for bench, workers in samples.keys("vigil again"):
            what = samples.measure_of("vigil", bench, workers)
            ratio = samples.ratio(("vigil again", bench, workers), ("vigil", bench, workers), what)
            if ratio and ratio.median > 0:
                self.ratios[(bench, workers)] = ratio

    def of(self, bench):
        """The largest distance from 1 of a median of the same kind."""
        alike = [r.median for (name, _), r in self.ratios.items() if is_echo(name) == is_echo(bench)]
        return max((max(median, 1 / median) - 1 for median in alike), default=0.0)


    def listed(self):
        return [{"name": bench, "workers": workers, "ratio": r.median, "quartiles": [r.low, r.high]}
                for (bench, workers), r in self.ratios.items()]


def is_echo(bench):
    return bench.startswith("echo/")


def others(samples):
    names = [name for name in samples.subjects() if name not in ("vigil", "vigil again")]
    return sorted(names, key=programs.place)  # which keeps the order of the rest


def row(samples, bench, workers, noise):
    what = samples.measure_of("vigil", bench, workers)
    wall, cpu = (samples.spread("vigil", bench, workers, kind) for kind in ("wall", "cpu"))
    judged = samples.spread("vigil", bench, workers, what)
    cas = samples.spread(*CAS, "cpu")
    compared = {}
    for other in others(samples):
        times = samples.ratio((other, bench, workers), ("vigil", bench, workers), what)
        theirs = samples.spread(other, bench, workers, what)
        if times:
            compared[other] = {"value": theirs.median, "quartiles": [theirs.low, theirs.high],
                               "times": times.median, "times_quartiles": [times.low, times.high],
                               "verdict": stats.verdict(times, noise.of(bench))}
    return {"name": bench, "workers": workers, "title": plan.title(bench), "measure": what,
            "value": judged.median, "quartiles": [judged.low, judged.high], "spread": judged.relative,
            "wall_ns": wall.median if wall else None, "cpu_ns": cpu.median if cpu else None,
            "cpu_ns_quartiles": [cpu.low, cpu.high] if cpu else None,
            "cas": cpu.median / cas.median if cpu and cas else None,
            "rounds": judged.count, "others": compared,
            **extras(samples, bench, workers)}


def extras(samples, bench, workers):
    """What some benchmarks count besides."""
    found = {}
    for what in ("watchdog_ns", "p99_us", "user"):
        spread = samples.spread("vigil", bench, workers, what)
        if spread:
            found[what] = spread.median
    if bench.startswith("level/"):
        of_off = samples.ratio(("vigil", bench, workers), ("vigil", "level/0", workers), "cpu")
        found["of_off"] = of_off.median if of_off else None
    return found


def rows(samples, noise):
    """In the order of the plan."""
    order = {bench: i for i, bench in enumerate(plan.TITLES)}
    keys = sorted(samples.keys("vigil"), key=lambda key: (order.get(key[0], len(order)), key[1]))
    return [row(samples, bench, workers, noise) for bench, workers in keys]
