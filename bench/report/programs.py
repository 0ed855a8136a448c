# SPDX-License-Identifier: MIT
"""Programs of benchmarks, vigil's and others', which all answer the same command line (see bench/once.c)."""

import os
import subprocess

SKIPPED = 77
PATIENCE_S = 60  # the longest takes a few seconds
ORDER = ["tokio", "smol", "go", "rayon", "tbb", "libuv", "ck", "floor"]  # in which tables show them; others follow


class Failed(Exception):
    """Something that must work did not."""


class Program:
    """`divides`: it takes a divisor of the number of operations as an argument; others find it in the environment."""

    def __init__(self, name, path, divides=False):
        self.name = name
        self.path = path
        self.divides = divides
        self.benches = {}  # name: the most workers that it can make use of
        for line in self.output("--list").splitlines():
            fields = line.split("\t")
            self.benches[fields[0]] = int(fields[1]) if len(fields) > 1 else 64

    def output(self, *arguments, scale=1):
        environment = dict(os.environ, VIGIL_PEER_SCALE=str(scale))
        try:
            done = subprocess.run([self.path, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=PATIENCE_S, env=environment, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed(f"{self.name} {' '.join(arguments)}: {error}") from error
        if done.returncode not in (0, SKIPPED):
            raise Failed(f"{self.name} {' '.join(arguments)}: exit code {done.returncode}: {done.stderr[-500:]}")
        return done.stdout

    def run(self, bench, workers, scale):
        """(operations, {what: value of all of them}); None: this machine cannot run it."""
        line = self.output(bench, str(workers), *self.scale_argument(scale), scale=scale)
        return parse(line, bench) if line else None

    def scale_argument(self, scale):
        return [str(scale)] if self.divides and scale > 1 else []


def parse(line, bench):
    name, operations, wall, cpu, *more = line.strip().split("\t")
    if name != bench or int(operations) < 1:
        raise Failed(f"{bench}: not the line of a result: {line!r}")
    if float(cpu) == 0:  # memory: see the contract
        return int(operations), {"bytes": float(wall)}
    values = {"wall": float(wall), "cpu": float(cpu)}
    for pair in more:
        what, value = pair.split("=")
        values[what] = float(value) * int(operations)
    return int(operations), values


def find(directory):
    """The programs that bench/peers/build.sh has left there."""
    names = [name for name in os.listdir(directory)
             if os.path.isfile(os.path.join(directory, name)) and os.access(os.path.join(directory, name), os.X_OK)]
    return [Program(name, os.path.join(directory, name)) for name in sorted(names, key=place)]


def place(name):
    return ORDER.index(name) if name in ORDER else len(ORDER)
