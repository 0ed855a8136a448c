# SPDX-License-Identifier: MIT
"""The rounds: each measures everything once, so that whatever else the machine does falls on all alike."""

import servers
from programs import Failed


def rotated(items, by):
    by %= max(len(items), 1)
    return items[by:] + items[:by]


def benchmarks(plan, programs, rounds, samples, progress):
    """Returns {subject/bench: why} of others' benchmarks that failed; one of vigil's is an error."""
    failures = {}
    jobs = list(plan.jobs(programs))
    for round_number in range(1, rounds + 1):
        for subject, program, bench, workers in rotated(jobs, round_number * len(jobs) // max(rounds, 1)):
            progress.step(f"{subject} {bench} {workers}")
            if f"{subject} {bench}" in failures:
                continue
            try:
                result = program.run(bench, workers, plan.scale)
            except Failed as error:
                if subject.startswith("vigil"):
                    raise
                failures[f"{subject} {bench}"] = str(error)
                continue
            if result is not None:
                operations, values = result
                samples.add(subject, bench, workers, round_number, operations, **values)
    return failures


def slices(shapes, workers, rounds):
    """(shape, round, seconds) of all loads on servers with so many workers."""
    for round_number in range(rounds):
        for shape, (seconds, repeats) in shapes.items():
            if shape[0] == workers:
                for repeat in range(repeats):
                    yield shape, round_number * repeats + repeat + 1, seconds


def echo(build, commands, shapes, rounds, samples, progress, with_memory):
    """Returns {shape: {bound: count}}, how long vigil's futures waited from wake to poll."""
    waits = {}
    for workers in sorted({shape[0] for shape in shapes} | ({1} if with_memory else set())):
        running = servers.start(commands, workers)
        try:
            if with_memory and workers == 1:
                for server in running:
                    servers.memory(samples, server, workers)
            for shape, number, seconds in slices(shapes, workers, rounds):
                for server in rotated(running, number):
                    progress.step(f"{server.name} {servers.bench_name(*shape[1:])} {workers}")
                    before = servers.waits(server) if server.telemetry else None
                    servers.measure(samples, build, server, shape, number, seconds)
                    if before is not None:
                        servers.add_waits(waits, shape, before, servers.waits(server))
        finally:
            servers.end(running)
    return waits


def count_echo(commands, shapes, rounds):
    """An upper bound of the steps of echo()."""
    return sum(len(commands) * repeats * rounds for _, repeats in shapes.values())
