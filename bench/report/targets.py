# SPDX-License-Identifier: MIT
"""bench/targets.txt, and whether each line of it is met."""

import stats


def read(path):
    """[(bench, workers, subject, measure, relation, value)]"""
    found = []
    with open(path, encoding="utf-8") as file:
        for text in file:
            fields = text.split("#")[0].split()
            if not fields:
                continue
            bench, workers, subject, measure, relation, *value = fields
            if relation not in RELATIONS or measure not in ("wall", "cpu", "bytes"):
                raise ValueError(f"{path}: {text.strip()}")
            found.append((bench, int(workers), subject, measure, relation, float(value[0]) if value else 1.0))
    return found


def at_most(ours, _times, value, _noise):
    return ours.median <= value


def at_least(_ours, times, value, _noise):
    return times.median >= value


def ahead(_ours, times, _value, noise):
    return stats.verdict(times, noise) == "ahead"


def level(_ours, times, _value, noise):
    return stats.verdict(times, noise) != "behind"


def within(_ours, times, value, _noise):
    return 1 / times.median <= value


RELATIONS = {"at_most": at_most, "times": at_least, "ahead": ahead, "level": level, "within": within}


def text_of(bench, workers, subject, measure, relation, value):
    unit = "bytes" if measure == "bytes" else "ns" + (" of processor time" if measure == "cpu" else "")
    says = {"at_most": f"at most {value:g} {unit}", "times": f"{value:g} x {subject}", "ahead": f"ahead of {subject}",
            "level": f"level with {subject}, or ahead", "within": f"at most {value:g} of {subject}"}[relation]
    return f"{bench}, {workers} workers: {says}" if workers > 1 else f"{bench}: {says}"


def reference(samples, bench, workers, subject, measure):
    """(subject, bench, workers) that a subject of the file means: "ring": the better one; "vigil:<bench>": another of ours."""
    if subject.startswith("vigil:"):
        return "vigil", subject.split(":")[1], 1
    if subject == "ring":
        rings = [name for name in samples.subjects() if name.startswith("ring ")
                 and samples.spread(name, bench, workers, measure)]
        subject = min(rings, key=lambda name: samples.spread(name, bench, workers, measure).median, default=subject)
    return subject, bench, workers


def check(samples, targets, noise):
    """One dict for each target; met is None where something was not measured."""
    return [result_of(samples, target, noise) for target in targets]


def result_of(samples, target, noise):
    bench, workers, subject, measure, relation, value = target
    result = {"text": text_of(*target), "got": "-", "met": None}
    ours = samples.spread("vigil", bench, workers, measure)
    times = None
    if subject != "-":
        times = samples.ratio(reference(samples, bench, workers, subject, measure), ("vigil", bench, workers), measure)
    if ours is None or (subject != "-" and times is None):
        return result
    if relation == "at_most":
        result["got"] = f"{ours.median:.1f}"
    elif relation == "within":
        result["got"] = f"{1 / times.median:.2f}"
    else:
        result["got"] = f"{times.median:.2f} x"
    result["met"] = RELATIONS[relation](ours, times, value, noise.of(bench))
    return result
