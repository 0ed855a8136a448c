# SPDX-License-Identifier: MIT
"""How far the measurement is: a bar on a terminal, a line for each tenth elsewhere."""

import sys
import time


class Progress:
    WIDTH = 30

    def __init__(self, total, out=sys.stderr):
        self.total = max(total, 1)
        self.done = 0
        self.out = out
        self.began = time.monotonic()
        self.terminal = out.isatty()

    def step(self, what):
        """`what` begins."""
        if self.terminal:
            full = self.WIDTH * self.done // self.total
            bar = "#" * full + "." * (self.WIDTH - full)
            print(f"\r[{bar}] {100 * self.done // self.total:3d} % {self.left():>9} {what[:40]:40}", end="",
                  file=self.out, flush=True)
        elif self.done * 10 // self.total != (self.done - 1) * 10 // self.total:
            print(f"{100 * self.done // self.total:3d} % after {time.monotonic() - self.began:.0f} s",
                  file=self.out, flush=True)
        self.done += 1

    def left(self):
        if self.done == 0:
            return ""
        seconds = (time.monotonic() - self.began) / self.done * (self.total - self.done)
        return f"{seconds / 60:.0f} min left" if seconds > 90 else f"{seconds:.0f} s left"

    def end(self):
        if self.terminal:
            print("\r" + " " * 100 + "\r", end="", file=self.out, flush=True)
