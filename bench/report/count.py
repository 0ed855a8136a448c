# SPDX-License-Identifier: MIT
"""
What an operation consists of: instructions, and read-modify-writes of memory that may be shared (with a lock prefix; full fences
too). Counted by valgrind, so they do not depend on the machine's load; of x86-64 only.

    python3 bench/report/count.py --build DIR [--only PATTERN]

Each benchmark runs twice, with different numbers of operations, and the difference is divided by theirs: what happens once, such as
the start of the program, is in neither figure. One worker, for under valgrind only one thread runs at a time; and the clock stands still
(VIGIL_BENCH_STILL), for every poll would seem long.
"""

import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile

COUNTED = ("yield_one|yield_many|chained_spawn|spawn_waves|ping_pong|skynet|fib_tasks|oneshot|notify|notify_ping|semaphore|"
           "semaphore_contended|mutex_await|mutex_contended|broadcast|broadcast/1|watch|watch_changed|mpsc_1_1|mpsc_8_1|timer_cancel|depth/1")
DIVISORS = (10, 100)


def atomics(listing):
    """The addresses of such instructions in what objdump -d prints."""
    found = set()
    for line in listing.splitlines():
        match = re.match(r" *([0-9a-f]+):\s+(\S.*)", line)
        if match and re.match(r"lock |mfence|xchg .*\(", match.group(2)):
            found.add(int(match.group(1), 16))
    return found


def executed(profile, program):
    """How often each instruction of the program's own was executed, by what callgrind --dump-instr=yes has written."""
    counts, objects = collections.Counter(), {}
    address, ours, call = 0, False, False
    for line in profile:
        line = line.rstrip("\n")
        named = re.match(r"(c?ob)=\((\d+)\)(?: (.*))?$", line)
        if named:
            kind, number, name = named.groups()
            objects[number] = name or objects[number]
            if kind == "ob":
                ours = os.path.basename(objects[number]) == os.path.basename(program)
        elif line.startswith("calls="):
            call = True  # the next line is what the call cost, which is counted where it was spent
        else:
            cost = re.match(r"(0x[0-9a-f]+|[+-]\S+|\*) \S+ (\d+)$", line)
            if not cost:
                continue
            at = cost.group(1)
            if at.startswith("0x"):
                address = int(at, 16)
            elif at != "*":
                address += int(at, 0)
            if ours and not call:
                counts[address] += int(cost.group(2))
            call = False
    return counts


def run(program, name, divisor):
    """Operations of one run, and what was executed."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "profile")
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--dump-instr=yes", f"--callgrind-out-file={path}", program, name, "1", str(divisor)],
            env={**os.environ, "VIGIL_BENCH_STILL": "1"}, capture_output=True, text=True, check=True, timeout=120)
        with open(path, encoding="utf-8") as profile:
            return int(done.stdout.split("\t")[1]), executed(profile, program)


def difference(many, few, where):
    """Of one operation. A benchmark makes a run that does not count and one that does, both of so many operations."""
    if many[0] == few[0]:  # it is always so many; the program's own start is little beside them
        few = (0, collections.Counter())
    operations = 2 * (many[0] - few[0])
    total = sum(many[1].values()) - sum(few[1].values())
    atomic = sum(many[1][at] - few[1][at] for at in where)
    return total / operations, atomic / operations


def main():
    parser = argparse.ArgumentParser(prog="bench/report/count.py")
    parser.add_argument("--build", required=True, help="where the programs were built")
    parser.add_argument("--only", default=f"^({COUNTED})$", metavar="PATTERN", help="benchmarks whose name it is found in")
    args = parser.parse_args()
    program = os.path.join(args.build, "bench/vigil_bench")
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], capture_output=True, text=True, check=True).stdout
    where = atomics(listing)
    print(f"{'':24} instructions  read-modify-writes")
    for line in subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.splitlines():
        name = line.split("\t")[0]
        if not re.search(args.only, name):
            continue
        many, few = (run(program, name, divisor) for divisor in DIVISORS)
        total, atomic = difference(many, few, where)
        print(f"{name:24} {total:12.0f}  {atomic:18.2f}", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FileNotFoundError as error:
        sys.exit(f"count: {error.filename} is not installed")
