# SPDX-License-Identifier: MIT
"""Parses a file as OpenMetrics 1.0 and prints "name kind unit" of each family, with the name that its samples have.

Fails on whatever the parser refuses, and on histograms that are not cumulative or do not add up.
"""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

SUFFIX = {"counter": "_total", "info": "_info"}


def check_histogram(family):
    buckets = {}
    for sample in family.samples:
        labels = dict(sample.labels)
        bound = labels.pop("le", None)
        series = buckets.setdefault(tuple(sorted(labels.items())), {})
        series[bound if bound is not None else sample.name[len(family.name) :]] = sample.value
    for labels, series in buckets.items():
        counts = [series[bound] for bound in series if bound[0] not in "_"]
        assert counts == sorted(counts), (family.name, labels)
        assert len(counts) == 15 and series["+Inf"] == series["_count"], (family.name, labels)
        assert series["_sum"] >= 0


def main():
    with open(sys.argv[1], encoding="utf-8") as page:
        families = list(text_string_to_metric_families(page.read()))
    assert len(families) > 30
    for family in families:
        if family.type == "histogram":
            check_histogram(family)
        print(family.name + SUFFIX.get(family.type, ""), family.type, family.unit or "-")


main()
