# SPDX-License-Identifier: MIT
"""Plots as inline SVG: scales, axes, marks. Colours are the page's, by class: s0, s1, ... for series."""

import math
from html import escape


class Scale:
    """From values to places; logarithmic unless told otherwise."""

    def __init__(self, low, high, start, end, log=True):
        self.log = log
        self.low, self.high = (math.log10(low), math.log10(high)) if log else (low, high)
        if self.high <= self.low:
            self.high = self.low + 1
        self.start, self.end = start, end

    def __call__(self, value):
        at = math.log10(max(value, 1e-12)) if self.log else value
        return self.start + (at - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self):
        if not self.log:
            step = nice((self.high - self.low) / 4)
            return [i * step for i in range(math.ceil(self.low / step), int(self.high / step + 1e-9) + 1)]
        steps = (1, 2, 5) if self.high - self.low < 2.2 else (1,)
        found = [m * 10.0 ** e for e in range(math.floor(self.low), math.ceil(self.high) + 1) for m in steps]
        return [tick for tick in found if self.low - 1e-9 <= math.log10(tick) <= self.high + 1e-9]


def nice(step):
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step)) if step > 0 else 1
    return next(m * power for m in (1, 2, 5, 10) if m * power >= step * 0.999)


def tag(name, text="", **attributes):
    parts = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"' for key, value in attributes.items())
    return f"<{name}{parts}>{text}</{name}>"


def at(value):
    return f"{value:.1f}"


def label(x, y, text, anchor="start", class_="t"):
    return tag("text", escape(text), x=at(x), y=at(y), text_anchor=anchor, class_=class_)


def line(x1, y1, x2, y2, class_):
    return tag("line", x1=at(x1), y1=at(y1), x2=at(x2), y2=at(y2), class_=class_)


def dot(x, y, class_, hint="", radius=4):
    return tag("circle", tag("title", escape(hint)), cx=at(x), cy=at(y), r=radius, class_=f"f {class_}")


def bar(x, y, width, height, class_, hint=""):
    return tag("rect", tag("title", escape(hint)), x=at(x), y=at(y), width=at(max(width, 0.5)), height=at(height),
               rx="2", class_=f"f {class_}")


def path(points, class_):
    text = " ".join(("M" if i == 0 else "L") + f"{at(x)} {at(y)}" for i, (x, y) in enumerate(points))
    return tag("path", d=text, class_=f"l {class_}")


def whisker(x1, x2, y, class_="w"):
    return line(x1, y, x2, y, class_) + line(x1, y - 3, x1, y + 3, class_) + line(x2, y - 3, x2, y + 3, class_)


def picture(width, height, parts, title):
    return tag("svg", tag("title", escape(title)) + "".join(parts), viewBox=f"0 0 {width} {height}",
               role="img", style=f"max-width:{width}px")


def spread_labels(places, lowest, gap=14):
    """Places of labels, moved apart so that none covers another, and none is below `lowest`. [(y, ...)]"""
    moved, last = [], -1e9
    for y, *more in sorted(places, key=lambda place: place[0]):
        last = max(y, last + gap)
        moved.append((last, *more))
    limit = lowest
    for i in reversed(range(len(moved))):
        moved[i] = (min(moved[i][0], limit), *moved[i][1:])
        limit = moved[i][0] - gap
    return moved
