# SPDX-License-Identifier: MIT
"""
The report: statistics and rows of known samples, targets, a page that is well-formed, and a small run of everything.

    python3 test_report.py <build directory>
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as tree
from collections import Counter

import against
import count
import figures
import page
import programs
import stats
import table
import targets
from plan import Plan
from samples import Samples

HERE = os.path.dirname(os.path.abspath(__file__))
MACHINE = {"cpu": "2 x some", "kernel": "k", "compiler": "c & c", "commit": "abc", "load": "0.1"}


LISTING = """
0000000000001000 <f>:
    1000:\tmov    (%rdi),%rax
    1003:\tlock cmpxchg %rsi,(%rdi)
    1008:\txchg   %eax,%edx
    100a:\txchg   %eax,(%rdi)
    100c:\tret
"""
PROFILE = """
ob=(1) /lib/libc.so
fn=(1) start
0x1003 0 7
ob=(2) /build/bench/vigil_bench
fn=(2) f
0x1000 0 10
+3 0 10
cob=(1)
cfn=(1)
calls=4 0x1000
* 0 99
+7 0 5
"""


def known():
    """Three rounds: medians 2 of a floor, 40 ns of ours, 100 of theirs; ratios 2, 2.5, 3; A/A 1, 1, 1.1."""
    samples = Samples()
    for number, (cas, ours, theirs, again) in enumerate([(1, 30, 90, 30), (4, 80, 160, 80), (2, 40, 100, 44)], 1):
        samples.add("vigil", "floor/cas", 1, number, 10, wall=10.0 * cas, cpu=10.0 * cas)
        samples.add("vigil", "yield_one", 1, number, 10, wall=10.0 * ours, cpu=10.0 * ours)
        samples.add("vigil again", "yield_one", 1, number, 10, wall=10.0 * again, cpu=10.0 * again)
        samples.add("tokio", "yield_one", 1, number, 5, wall=5.0 * theirs, cpu=5.0 * theirs)
        samples.add("vigil", "mem_task", 1, number, 10, bytes=4000.0)
    return samples


def report_of(samples):
    noise = figures.Noise(samples)
    rows = figures.rows(samples, noise)
    return {"machine": MACHINE, "rounds": 3, "peers": {"tokio": "1.0 <x>"}, "figures": rows, "targets": [], "failures": {},
            "noise": noise.listed(), "against": against.changes(samples, noise), "samples": samples.rows,
            "wake_to_poll": {"1/64/50": {"9.5367431640625e-07": 5, "3.814697265625e-06": 9, "+Inf": 10}}}


class Statistics(unittest.TestCase):
    def test_quartiles_lie_between_values(self):
        spread = stats.Spread([4, 1, 2, 3])
        self.assertEqual((spread.low, spread.median, spread.high), (1.75, 2.5, 3.25))
        self.assertEqual(stats.Spread([7]).median, 7)
        self.assertEqual(stats.Spread([1, 2, 3]).relative, 0.5)

    def test_ratios_are_taken_within_rounds(self):
        ratio = stats.ratio({1: 30, 2: 80, 3: 20, 5: 1}, {1: 10, 2: 40, 3: 20, 4: 2})
        self.assertEqual((ratio.low, ratio.median, ratio.high), (1.5, 2, 2.5))
        self.assertIsNone(stats.ratio({1: 1}, {2: 1}))

    def test_ahead_and_behind_need_more_than_the_spread_the_noise_and_three_rounds(self):
        for values, noise, word in [([1.2, 1.3, 1.4], 0.1, "ahead"), ([1.2, 1.3, 1.4], 0.4, "level"),
                                    ([0.8, 1.3, 1.4], 0.0, "ahead"), ([0.5, 1.3, 1.4], 0.0, "level"),
                                    ([0.5, 0.6, 0.7], 0.1, "behind"), ([2, 2], 0.0, "level")]:
            self.assertEqual(stats.verdict(stats.Spread(values), noise), word, values)

    def test_slower_is_more_than_three_percent_beyond_the_spread(self):
        for values, noise, answer in [([0.90, 0.92, 0.94], 0.0, True), ([0.98, 0.98, 0.98], 0.0, False),
                                      ([0.90, 0.92, 1.10], 0.0, False), ([0.90, 0.92, 0.94], 0.1, False)]:
            self.assertEqual(stats.slower(stats.Spread(values), noise), answer, values)


class Rows(unittest.TestCase):
    def test_a_row_has_median_spread_multiple_of_a_swap_and_ratio(self):
        text = table.report(MACHINE, 3, report_of(known())["figures"], figures.Noise(known()).listed(), [], {"tokio x": "why"})
        self.assertRegex(text, r"yield, 1 task +1 +40\.0 +62 % +40\.0 +20\.0 +2\.50 ahead\n")
        self.assertRegex(text, r"yield_one +1 +1\.000 +by round, quartiles: 1\.000 to 1\.050\n")
        self.assertRegex(text, r"task that waits, bytes +1 +400 +0 % +- +-\n")
        self.assertIn("not measured: tokio x: why", text)

    def test_a_target_is_met_missed_or_not_measured(self):
        lines = [("yield_one", 1, "-", "wall", "at_most", 40.0), ("yield_one", 1, "tokio", "wall", "times", 3.0),
                 ("yield_one", 1, "tokio", "wall", "ahead", 1.0), ("yield_one", 1, "vigil:floor/cas", "cpu", "within", 20.0),
                 ("mem_task", 1, "-", "bytes", "at_most", 100.0), ("yield_one", 2, "-", "wall", "at_most", 1.0)]
        checked = targets.check(known(), lines, figures.Noise(known()))
        self.assertEqual([target["met"] for target in checked], [True, False, True, True, False, None])
        self.assertEqual([target["got"] for target in checked], ["40.0", "2.50 x", "2.50 x", "20.00", "400.0", "-"])

    def test_the_targets_of_the_tree_can_be_read(self):
        self.assertGreater(len(targets.read(os.path.join(HERE, "..", "targets.txt"))), 50)

    def test_a_change_for_the_worse_is_found(self):
        samples = known()
        for number, before in enumerate((27, 72, 36), 1):
            samples.add("before", "yield_one", 1, number, 10, wall=10.0 * before, cpu=400.0)
        changes = {change["measure"]: change["verdict"] for change in against.changes(samples, figures.Noise(samples))}
        self.assertEqual(changes, {"wall": "slower", "cpu": "same"})

    def test_a_line_of_a_program_is_read(self):
        self.assertEqual(programs.parse("a\t10\t200\t300\tx=1.5\n", "a"), (10, {"wall": 200.0, "cpu": 300.0, "x": 15.0}))
        self.assertEqual(programs.parse("mem_task\t10\t4096\t0\n", "mem_task"), (10, {"bytes": 4096.0}))
        with self.assertRaises(programs.Failed):
            programs.parse("b\t10\t200\t300\n", "a")


class Counts(unittest.TestCase):
    def test_instructions_are_told_from_read_modify_writes(self):
        self.assertEqual(count.atomics(LISTING), {0x1003, 0x100a})

    def test_what_is_executed_is_the_program_s_own_and_not_what_a_call_cost(self):
        self.assertEqual(count.executed(PROFILE.splitlines(), "build/bench/vigil_bench"), {0x1000: 10, 0x1003: 10, 0x100a: 5})

    def test_an_operation_is_what_more_of_them_add(self):
        many, few = (30, Counter({0x1000: 1060, 0x1003: 70})), (10, Counter({0x1000: 1020, 0x1003: 30}))
        self.assertEqual(count.difference(many, few, {0x1003}), (2.0, 1.0))
        self.assertEqual(count.difference(many, many, {0x1003})[0], 1130 / 60)


class Page(unittest.TestCase):
    def test_it_is_well_formed_and_shows_the_figures(self):
        root = tree.fromstring(page.page(report_of(known())))
        text = " ".join(root.itertext())
        for words in ("2 x some", "c & c", "1.0 <x>", "yield, 1 task", "2.50 x", "time from wake to poll"):
            self.assertIn(words, text)
        self.assertGreaterEqual(len(root.findall(".//svg")), 3)
        self.assertEqual([link for link in root.iter() if "src" in link.attrib or "href" in link.attrib], [])


class Run(unittest.TestCase):
    """Everything once, with few operations."""

    def run_report(self, *arguments):
        command = [sys.executable, "-B", HERE, "--build", BUILD, "--out", self.out, "--rounds", "1", "--quick", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.out = os.path.join(self.directory.name, "out")

    def program(self, directory, name, nanoseconds):
        """1000 operations of yield_one take it so long; it cannot run skynet."""
        directory = os.path.join(self.directory.name, directory)
        os.makedirs(directory)
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\ncase $1 in\n--list) printf 'yield_one\\nskynet\\nunknown\\n' ;;\n"
                       f"yield_one) printf 'yield_one\\t1000\\t{nanoseconds}\\t{nanoseconds}\\n' ;;\n*) exit 1 ;;\nesac\n")
        os.chmod(file.name, 0o755)
        return directory

    def test_everything_runs_and_is_written(self):
        done = self.run_report("--peers", self.program("peers", "tokio", 10 ** 9))
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(self.out, "bench.txt"), encoding="utf-8") as file:
            self.assertEqual(file.read(), done.stdout)
        for words in ("compare-and-swap", "waves of 64", "ring multishot", "epoll", "watchdog", "at most 1.15 of ring",
                      "not measured: tokio skynet"):
            self.assertIn(words, done.stdout)
        with open(os.path.join(self.out, "bench.json"), encoding="utf-8") as file:
            report = json.load(file)
        found = {(row["name"], row["workers"]): row for row in report["figures"]}
        self.assertGreater(found[("echo/64/50", 2)]["value"], 0)
        self.assertEqual(found[("yield_one", 2)]["others"]["tokio"]["value"], 1e6)
        self.assertGreater(report["wake_to_poll"]["1/64/50"]["+Inf"], 0)
        tree.parse(os.path.join(self.out, "bench.html"))

    def test_two_builds_are_compared(self):
        done = self.run_report("--only", "^yield_one$", "--against", BUILD)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"against \S+: 0 slower by more than 3 % beyond the spread, 0 faster, 4 neither")

    def test_what_is_slower_than_another_build_makes_it_fail(self):
        self.program("other/bench", "vigil_bench", 1000)
        done = self.run_report("--only", "^yield_one$", "--rounds", "3", "--against", os.path.join(self.directory.name, "other"))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"\n +yield_one +1 +wall +0\.0\d\d .* slower\n")


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)
