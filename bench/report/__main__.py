# SPDX-License-Identifier: MIT
"""
The figures of this tree: floors, operations, instruments, echo servers, and those of others beside them. See HACKING.md,
"Measure".

    python3 bench/report --build DIR --out DIR [--rounds N] [--quick] [--only PATTERN] [--peers DIR] [--against DIR]

Writes bench.txt, bench.json and bench.html to the output directory and prints the first. Exit code 1: something did not run, or,
with --against, is slower than that build by more than 3 % beyond the spread. No other figure makes it fail.
"""

import argparse
import json
import os
import signal
import sys

import against
import figures
import machine
import measure
import page
import programs
import servers
import table
import targets
from plan import Plan
from progress import Progress
from samples import Samples

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def options():
    parser = argparse.ArgumentParser(prog="bench/report")
    parser.add_argument("--build", required=True, help="where the programs were built")
    parser.add_argument("--out", required=True, help="where to write")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the operations, and the main rows only")
    parser.add_argument("--only", default="", metavar="PATTERN", help="benchmarks whose name it is found in")
    parser.add_argument("--peers", metavar="DIR", help="where bench/peers/build.sh has put the others")
    parser.add_argument("--against", metavar="DIR", help="where another commit was built, to compare with")
    return parser.parse_args()


def echo_shapes(args, plan):
    shapes = servers.QUICK if args.quick else servers.FULL
    return {shape: times for shape, times in shapes.items() if plan.wanted(servers.bench_name(*shape[1:]))}


def all_programs(args):
    def vigil(name, build):
        return programs.Program(name, os.path.join(build, "bench/vigil_bench"), divides=True)

    found = [vigil("vigil", args.build)]
    if args.against:
        found.append(vigil("before", args.against))
    return found, programs.find(args.peers) if args.peers else []


def run(args):
    plan = Plan(args.only, args.quick, os.cpu_count())
    ours, peers = all_programs(args)
    samples = Samples()
    described = machine.describe(args.build, BENCH)
    shapes = echo_shapes(args, plan)
    commands = servers.commands(args.build, args.against, peers)
    progress = Progress(len(list(plan.jobs([*ours, *peers]))) * args.rounds +
                        measure.count_echo(commands, shapes, args.rounds))
    failures = measure.benchmarks(plan, [*ours, *peers], args.rounds, samples, progress)
    waits = measure.echo(args.build, commands, shapes, args.rounds, samples, progress,
                         not args.quick and plan.wanted("mem_connection"))
    if not args.quick and plan.wanted("http"):
        servers.http(samples, args.build, os.path.join(BENCH, "wrk.lua"), args.rounds)
    progress.end()
    return described, samples, waits, failures


def judge(args, described, samples, waits, failures):
    """The content of bench.json, and the text."""
    noise = figures.Noise(samples)
    rows = figures.rows(samples, noise)
    checked = targets.check(samples, targets.read(os.path.join(BENCH, "targets.txt")), noise)
    text = table.report(described, args.rounds, rows, noise.listed(), checked, failures)
    changes = against.changes(samples, noise)
    if args.against:
        text += "\n".join(against.lines(changes, machine.commit_of(args.against), table.TITLE - 2)) + "\n"
    return {"machine": described, "rounds": args.rounds, "quick": args.quick,
            "noise": noise.listed(),
            "peers": machine.peers(args.peers) if args.peers else {}, "figures": rows, "targets": checked,
            "against": changes, "failures": failures, "wake_to_poll": waits, "samples": samples.rows}, text


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    args = options()
    os.makedirs(args.out, exist_ok=True)
    report, text = judge(args, *run(args))
    write(os.path.join(args.out, "bench.txt"), text)
    write(os.path.join(args.out, "bench.json"), json.dumps(report) + "\n")
    write(os.path.join(args.out, "bench.html"), page.page(report))
    print(text, end="")
    return 1 if any(change["verdict"] == "slower" for change in report["against"]) else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which ends the servers
    try:
        sys.exit(main())
    except programs.Failed as error:
        sys.exit(f"bench/report: {error}")
