# SPDX-License-Identifier: MIT
"""What is measured, what it is called in the table, and in which order."""

import re

GROUPS = [
    ("floors: what the machine charges", [
        ("floor/cas", "compare-and-swap, uncontended"),
        ("floor/clock", "clock_gettime(CLOCK_MONOTONIC)"),
        ("floor/tsc", "processor's counter"),
        ("floor/malloc", "malloc and free of 64 bytes"),
        ("floor/line", "cache line to the other processor"),
        ("floor/wake", "eventfd pair, sleeping threads, both ways"),
    ]),
    ("tasks", [
        ("spawn_join", "spawn and join, 1 M alive at once"),
        ("spawn_waves", "spawn and join, waves of 64"),
        ("chained_spawn", "each task spawns the next"),
        ("skynet", "tree of tasks, ten below each"),
        ("scope_skynet", "the same tree in scopes"),
        ("fib_tasks", "fib(27), a task for each fork, per call"),
        ("fib_join", "fib(27), fork and join, per call"),
        ("fib_calls", "fib(27), plain calls"),
        ("remote_spawn_idle", "spawn from outside, workers idle"),
        ("remote_spawn_busy", "spawn from outside, workers busy"),
    ]),
    ("switching", [
        ("yield_one", "yield, 1 task"),
        ("yield/64", "yield, 64 tasks"),
        ("yield_many", "yield, 1000 tasks"),
        ("ping_pong", "spawn, and two oneshots there and back"),
        ("wake_parked", "thread wakes sleeping worker and back"),
        ("depth/1", "wake and resume, 1 await deep"),
        ("depth/4", "4 awaits deep"),
        ("depth/16", "16 awaits deep"),
        ("depth/64", "64 awaits deep"),
        ("rootdown/1", "1 deep, polled from the root"),
        ("rootdown/4", "4 deep, from the root"),
        ("rootdown/64", "64 deep, from the root"),
        ("select/2", "select of 2, one woken"),
        ("select/4", "select of 4"),
        ("select/8", "select of 8"),
        ("select/16", "select of 16"),
        ("select_woken/2", "an arm woken, of 2 that wait"),
        ("select_woken/4", "of 4"),
        ("select_woken/8", "of 8"),
        ("select_woken/16", "of 16"),
        ("set/1", "set of 1, a child woken"),
        ("set/100", "set of 100"),
        ("set/1000", "set of 1000"),
        ("set/10000", "set of 10,000"),
        ("set/1000000", "set of 1,000,000"),
        ("set_next", "pushed to a set, and taken out"),
        ("stream_each", "stream, an item that is there"),
        ("stream_pipe", "the same through map and filter"),
        ("buffered/0", "buffered stream, an item whose future ends at once"),
        ("buffered/1", "one whose future yields once"),
    ]),
    ("between tasks", [
        ("oneshot", "oneshot, sent and received"),
        ("mpsc_1_1", "bounded channel, 1 sender"),
        ("mpsc_8_1", "bounded channel, 8 senders"),
        ("mpsc_many_1_1", "the same, received in batches, 1 sender"),
        ("mpsc_many_8_1", "in batches, 8 senders"),
        ("broadcast", "broadcast, sent and received"),
        ("broadcast/1", "broadcast, to one that waits"),
        ("watch", "watch, changed and seen"),
        ("watch_changed", "watch, a change that is waited for"),
        ("notify", "notify, stored and taken"),
        ("notify_ping", "notify, four pairs of tasks back and forth"),
        ("semaphore", "semaphore, free: a permit"),
        ("semaphore_contended", "semaphore, 8 tasks for 2 permits"),
    ]),
    ("time, locks, memory, I/O", [
        ("timers_fire", "sleep of 1 to 1000 ms, 1 M at once"),
        ("timer_cancel", "timeout around a yield, cancelled"),
        ("mutex_try", "mutex, free: try and unlock"),
        ("mutex_await", "mutex, free: await and unlock"),
        ("mutex_contended", "mutex, 64 tasks, a yield inside"),
        ("mem_task", "task that waits, bytes"),
        ("mem_task_leaf", "task of one hand-written future, bytes"),
        ("io_op", "I/O operation that the kernel refuses"),
    ]),
    ("instruments: yield_one at a level", [
        ("level/0", "off"),
        ("level/1", "verdicts"),
        ("level/2", "everything (the default)"),
        ("level/3", "and an exact clock"),
        ("dump", "vg_dump() of 100,000 tasks: each"),
    ]),
]

TITLES = {bench: title for _, benches in GROUPS for bench, title in benches}
# Their length is that of a clock, whatever the scale.
SLOW = {"timers_fire"}
# Measured twice, to see by how much a thing differs from itself.
TWICE = [("yield_one", 1), ("yield_many", 1), ("ping_pong", 2)]
# Told of another number of workers than 1 and 2, for the plot.
MORE_WORKERS = ["spawn_waves", "yield_many", "skynet", "fib_tasks", "mutex_contended"]


def title(bench):
    return TITLES.get(bench, bench)


def groups(benches):
    """(heading, benches) for those there are; what has no group of its own comes last."""
    known = [(heading, [bench for bench, _ in rows if bench in benches]) for heading, rows in GROUPS]
    rest = [bench for bench in benches if bench not in TITLES]
    return [(heading, rows) for heading, rows in [*known, ("more", rest)] if rows]


class Plan:
    """Chosen by options: `pattern` of benchmarks, `quick`, the machine's `processors`."""

    def __init__(self, pattern="", quick=False, processors=2):
        self.pattern = re.compile(pattern)
        self.quick = quick
        self.scale = 20 if quick else 1
        self.counts = [1, 2] + ([4] if processors >= 4 and not quick else [])

    def wanted(self, bench):
        """floor/cas always: the others are shown as multiples of it."""
        return bench == "floor/cas" or self.pattern.search(bench) is not None and not (
            self.quick and bench in SLOW)

    def workers(self, bench, most):
        if bench.startswith("floor/"):
            return [1]
        return [n for n in self.counts if n <= most and (n <= 2 or bench in MORE_WORKERS)]

    def jobs(self, programs):
        """(subject, program, bench, workers) of one round; what no vigil program has is left out."""
        ours = [name for _, names in groups(programs[0].benches) for name in names if self.wanted(name)]
        for bench in ours:
            for workers in self.workers(bench, programs[0].benches[bench]):
                for program in programs:
                    if workers <= program.benches.get(bench, 0):
                        yield program.name, program, bench, workers
                if (bench, workers) in TWICE:
                    yield "vigil again", programs[0], bench, workers
