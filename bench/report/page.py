# SPDX-License-Identifier: MIT
"""The report as one page of HTML that needs nothing else. It is also well-formed XML."""

from html import escape

import charts
import plan
import table
from style import STYLE


def element(name, text, **attributes):
    parts = "".join(f' {key.rstrip("_")}="{escape(str(value))}"' for key, value in attributes.items())
    return f"<{name}{parts}>{text}</{name}>"


def section(title, explained, *content):
    content = [part for part in content if part]
    if not content:
        return ""
    return element("section", element("h2", escape(title)) + element("p", escape(explained)) + "".join(content))


def head(report):
    machine = report["machine"]
    facts = [("machine", machine["cpu"]), ("kernel", machine["kernel"]), ("compiler", machine["compiler"]),
             ("commit", machine["commit"]), ("load before the start", machine["load"]), ("rounds", str(report["rounds"]))]
    facts += sorted(report["peers"].items())
    rows = "".join(element("dt", escape(name)) + element("dd", escape(value)) for name, value in facts)
    return element("header", element("h1", "vigil: what it costs") + element("dl", rows))


def tiles(report):
    verdicts = [other["verdict"] for row in charts.micro(report) for name, other in row["others"].items() if name != "before"]
    measured = [target for target in report["targets"] if target["met"] is not None]
    found = [(f"{sum(target['met'] for target in measured)} of {len(measured)}", "targets met")]
    found += [(str(verdicts.count(word)), f"comparisons {word}") for word in ("ahead", "level", "behind") if verdicts]
    return element("div", "".join(element("div", element("b", escape(value)) + escape(text), class_="tile")
                                  for value, text in found), class_="tiles")


def legend(report):
    names = [name for name in charts.SERIES if name == "vigil" or any(name in row["others"] for row in report["figures"])]
    return element("p", "".join(element("span", element("i", "", class_=f"f {charts.class_of(name)}") + escape(name))
                                for name in names), class_="legend")


def cell(row, other):
    found = row["others"].get(other)
    if not found:
        return element("td", "")
    return element("td", f"{table.times(found['times'])} x", class_=f"n {found['verdict']}",
                   title=f"{found['value']:.1f}; quartiles of the ratio {found['times_quartiles'][0]:.2f} to "
                         f"{found['times_quartiles'][1]:.2f}; {found['verdict']}")


def table_row(row, others):
    value = row["value"] if row["measure"] == "bytes" else row["wall_ns"]
    cells = [table.number(value), table.percent(row["spread"]), table.number(row["cpu_ns"]), table.number(row["cas"])]
    return element("tr", element("td", escape(row["title"])) + element("td", str(row["workers"]), class_="n") +
                   "".join(element("td", escape(text), class_="n") for text in cells) +
                   "".join(cell(row, other) for other in others))


def benchmarks(report):
    rows = [row for row in report["figures"] if not table.is_server(row)]
    others = list(dict.fromkeys(other for row in rows for other in row["others"]))
    names = ["", "workers", "wall, ns", "spread", "cpu, ns", "x CAS", *others]
    body = []
    for text, benches in plan.groups(list(dict.fromkeys(row["name"] for row in rows))):
        body.append(element("tr", element("th", escape(text), colspan=len(names))))
        body += [table_row(row, others) for bench in benches for row in rows if row["name"] == bench]
    return grid(names, body)


def grid(names, body):
    top = element("tr", "".join(element("th", escape(name), class_="n" if i else "") for i, name in enumerate(names)))
    return element("div", element("table", element("thead", top) + element("tbody", "".join(body))), class_="wide")


def targets(report):
    body = [element("tr", element("td", escape(target["text"])) + element("td", escape(target["got"]), class_="n") +
                    element("td", "met" if target["met"] else "missed", class_="ahead" if target["met"] else "behind"))
            for target in report["targets"] if target["met"] is not None]
    return grid(["target", "measured", ""], body) if body else ""


def changes(report):
    body = [element("tr", element("td", escape(change["bench"])) + element("td", str(change["workers"]), class_="n") +
                    element("td", change["measure"]) + element("td", f"{change['times']:.3f}", class_="n") +
                    element("td", change["verdict"], class_={"faster": "ahead", "slower": "behind"}.get(change["verdict"], "")))
            for change in report["against"]]
    return grid(["", "workers", "of", "old / new", ""], body) if body else ""


def noise(report):
    body = [element("tr", element("td", escape(again["name"])) + element("td", str(again["workers"]), class_="n") +
                    element("td", f"{again['ratio']:.3f}", class_="n") +
                    element("td", f"{again['quartiles'][0]:.3f} to {again['quartiles'][1]:.3f}"))
            for again in report["noise"]]
    return grid(["", "workers", "second / first", "quartiles by round"], body) if body else ""


def figures(*plots):
    return element("div", "".join(element("figure", plot) for plot in plots if plot), class_="plots") if any(plots) else ""


def page(report):
    text = [
        head(report), tiles(report), legend(report),
        section("Beside others", "The same work, measured in the same rounds. Two workers, where more than one is of use. Dots are "
                "medians of the ratio by round, lines reach from quartile to quartile.", figures(charts.comparison(report))),
        section("How it grows", "Processor time of a request as connections grow; time of an operation as workers are added; "
                "time to resume a task as awaits are nested; and how long futures that were woken waited for their poll while the "
                "echo server was under load, from the runtime's own histograms.",
                figures(charts.by_load(report), charts.by_depth(report), charts.by_workers(report), charts.waits(report))),
        section("Echo servers", "Processor time of the server's process for a request, all threads and the kernel's part included.",
                element("div", charts.server_panels(report), class_="panels") if charts.server_panels(report) else ""),
        section("Each benchmark", "Medians; whiskers from quartile to quartile. ns of an operation, unless it says bytes.",
                element("div", charts.panels(report), class_="panels")),
        section("Changes", "Old cost over new: above 1 is faster now.", changes(report)),
        section("Targets", "From bench/targets.txt; those that were measured. What bounds the ones that are missed: docs/limits.md.", targets(report)),
        section("All figures", "Ratios say how many times as much the other's costs. Green: vigil is ahead by more than the spread and "
                "the noise of the run; red: behind.", benchmarks(report)),
        section("Noise", "The same thing measured twice, in the same rounds. A difference that is not larger says nothing.",
                noise(report)),
        element("footer", escape("Every single measurement is in bench.json, beside this page.")),
    ]
    title = element("title", "vigil: what it costs")
    meta = '<meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>'
    top = element("head", meta + title + element("style", STYLE))
    return "<!DOCTYPE html>\n" + element("html", top + element("body", element("main", "\n".join(text))), lang="en") + "\n"
