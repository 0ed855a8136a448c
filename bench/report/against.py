# SPDX-License-Identifier: MIT
"""Two builds of vigil, measured in the same rounds: what has changed by more than the spread and the noise."""

import stats


def changes(samples, noise):
    """[{bench, workers, measure, times, quartiles, verdict}], verdict: "slower", "faster" or "same"; times: before / now."""
    found = []
    for bench, workers in samples.keys("before"):
        if bench.startswith("floor/"):
            continue  # the machine's, not ours
        for what in ("wall", "cpu", "bytes"):
            times = samples.ratio(("before", bench, workers), ("vigil", bench, workers), what)
            if times and not (what == "wall" and samples.measure_of("vigil", bench, workers) == "cpu"):
                found.append({"bench": bench, "workers": workers, "measure": what, "times": times.median,
                              "quartiles": [times.low, times.high], "verdict": verdict(times, noise.of(bench))})
    return found


def verdict(times, noise):
    if stats.slower(times, noise):
        return "slower"
    return "faster" if stats.verdict(times, noise) == "ahead" else "same"


def lines(found, commit, width):
    """A table of what has changed."""
    counts = {word: sum(change["verdict"] == word for change in found) for word in ("slower", "faster", "same")}
    text = [f"\nagainst {commit}: {counts['slower']} slower by more than 3 % beyond the spread, {counts['faster']} faster, "
            f"{counts['same']} neither; old cost / new"]
    for change in found:
        if change["verdict"] != "same":
            text.append(f"  {change['bench']:{width}} {change['workers']:7} {change['measure']:>6} {change['times']:8.3f}   "
                        f"[{change['quartiles'][0]:.3f} {change['quartiles'][1]:.3f}] {change['verdict']}")
    return text
