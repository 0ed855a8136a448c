# SPDX-License-Identifier: MIT
"""The kinds of plot that the page has: bars, dots along a line, lines, steps."""

import svg
from svg import Scale


def si(value):
    """Three digits: 950, 1.2k, 15k."""
    if value >= 1e6:
        return f"{value / 1e6:.3g}M"
    if value >= 1e3:
        return f"{value / 1e3:.3g}k"
    return f"{value:.3g}"


def bars(title, rows, unit):
    """One small plot. rows: [(name, class, value, low, high)]; all begin at 0."""
    width, left, top, pitch = 296, 104, 26, 20
    height = top + pitch * len(rows) + 4
    scale = Scale(0, max(row[4] for row in rows) or 1, left, width - 52, log=False)
    parts = [svg.label(0, 14, title, class_="h")]
    for i, (name, class_, value, low, high) in enumerate(rows):
        y = top + pitch * i
        hint = f"{name}: {value:.1f} {unit}, quartiles {low:.1f} to {high:.1f}"
        parts += [svg.label(left - 6, y + 11, name, "end"),
                  svg.bar(left, y, scale(value) - left, 14, class_, hint)]
        if high > low:
            parts.append(svg.whisker(scale(low), scale(high), y + 7))
        parts.append(svg.label(max(scale(value), scale(high)) + 6, y + 11, si(value), class_="t n"))
    return svg.picture(width, height, parts, title)


def dots(title, rows, reference):
    """rows: [(name, [(series, class, value, low, high)])], on one logarithmic axis with a line at 1."""
    width, left, top, pitch = 920, 270, 48, 24
    values = [value for _, marks in rows for _, _, *numbers in marks for value in numbers] + [0.8, 1.25]
    height = top + pitch * len(rows) + 12
    scale = Scale(min(values) / 1.1, max(values) * 1.1, left, width - 24)
    parts = [svg.label(left, 12, title, class_="t")]
    for tick in scale.ticks():
        parts += [svg.line(scale(tick), top - 6, scale(tick), height - 8, "g"),
                  svg.label(scale(tick), top - 10, f"{tick:g} x", "middle")]
    parts += [svg.line(scale(1), top - 6, scale(1), height - 8, "a"), svg.label(scale(1) + 4, height - 1, reference, class_="t")]
    for i, (name, marks) in enumerate(rows):
        y = top + pitch * i + 8
        parts.append(svg.label(left - 10, y + 4, name, "end"))
        for series, class_, value, low, high in marks:
            parts += [svg.line(scale(low), y, scale(high), y, f"k {class_}"),
                      svg.dot(scale(value), y, class_, f"{series}: {value:.2f} x, quartiles {low:.2f} to {high:.2f}")]
    return svg.picture(width, height + 6, parts, title)


def axes(x_scale, y_scale, box, x_ticks, x_title, y_title, y_text=si):
    left, top, right, bottom = box
    parts = []
    for tick in y_scale.ticks():
        parts += [svg.line(left, y_scale(tick), right, y_scale(tick), "g"),
                  svg.label(left - 6, y_scale(tick) + 4, y_text(tick), "end")]
    for tick, text in x_ticks:
        parts += [svg.line(x_scale(tick), bottom, x_scale(tick), bottom + 4, "a"),
                  svg.label(x_scale(tick), bottom + 17, text, "middle")]
    return parts + [svg.line(left, bottom, right, bottom, "a"), svg.label(8, top - 18, y_title),
                    svg.label((left + right) / 2, bottom + 34, x_title, "middle")]


def lines(title, series, x_title, y_title, log_y=True, x_ticks=None, y_range=None, y_text=si):
    """series: [(name, class, [(x, y, low, high)])]; x is logarithmic. The name stands at the end of each line."""
    width, height = 452, 320
    box = left, top, right, bottom = 52, 52, width - 116, height - 44
    points = [point for _, _, found in series for point in found]
    xs = sorted({point[0] for point in points})
    x_scale = Scale(xs[0], xs[-1], left + 8, right - 8)
    low, high = y_range or (min(p[2] for p in points) / 1.2 if log_y else 0, max(p[3] for p in points) * 1.15)
    y_scale = Scale(low, high, bottom, top, log=log_y)
    parts = [svg.label(8, 14, title, class_="h")] + axes(x_scale, y_scale, box, x_ticks or [(x, f"{x:g}") for x in xs], x_title, y_title, y_text)
    ends = []
    for name, class_, found in series:
        parts.append(svg.path([(x_scale(x), y_scale(y)) for x, y, _, _ in found], class_))
        for x, y, lower, upper in found:
            parts += [svg.line(x_scale(x), y_scale(lower), x_scale(x), y_scale(upper), f"k {class_}"),
                      svg.dot(x_scale(x), y_scale(y), class_, f"{name}, {x:g}: {y_text(y)}", radius=3)]
        ends.append((y_scale(found[-1][1]) + 4, name, class_))
    for y, name, class_ in svg.spread_labels(ends, bottom):
        parts.append(svg.label(right + 4, y, name, class_=f"t b {class_}"))
    return svg.picture(width, height, parts, title)
