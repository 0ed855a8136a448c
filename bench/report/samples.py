# SPDX-License-Identifier: MIT
"""All that was measured: one dict for each run of a benchmark, as it goes into bench.json."""

import stats


class Samples:
    def __init__(self):
        self.rows = []
        self.index = {}  # (subject, bench, workers): its rows

    def add(self, subject, bench, workers, round_number, operations, **values):
        self.rows.append({"subject": subject, "bench": bench, "workers": workers, "round": round_number,
                          "ops": operations, **values})
        self.index.setdefault((subject, bench, workers), []).append(self.rows[-1])

    def series(self, subject, bench, workers, what):
        """{round: value of an operation}; what: "wall", "cpu", "bytes" or another name that was counted."""
        return {row["round"]: row[what] / (1 if what in OF_A_RUN else row["ops"])
                for row in self.index.get((subject, bench, workers), []) if what in row}

    def spread(self, subject, bench, workers, what):
        values = self.series(subject, bench, workers, what).values()
        return stats.Spread(values) if values else None

    def ratio(self, over, under, what):
        """Of two (subject, bench, workers)."""
        return stats.ratio(self.series(*over, what), self.series(*under, what))

    def keys(self, subject):
        """(bench, workers) in the order in which they were first measured."""
        return [(bench, workers) for name, bench, workers in self.index if name == subject]

    def subjects(self):
        return list(dict.fromkeys(name for name, _, _ in self.index))

    def measure_of(self, subject, bench, workers):
        """By what a benchmark is judged: bytes, or the time that says something."""
        if self.series(subject, bench, workers, "bytes"):
            return "bytes"
        return "cpu" if bench in JUDGED_BY_PROCESSOR_TIME or bench.startswith("echo/") else "wall"


# Most of their wall time is waiting.
JUDGED_BY_PROCESSOR_TIME = {"timers_fire", "wake_parked", "floor/wake", "http"}
# Not sums over the operations.
OF_A_RUN = {"p99_us", "user"}
