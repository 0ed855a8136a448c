# SPDX-License-Identifier: MIT
"""Where and of what it was measured."""

import os
import re
import subprocess


def first_line(*command):
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return "unknown"
    return text.splitlines()[0] if text else "unknown"


def file_value(path, pattern):
    try:
        with open(path, encoding="utf-8") as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return None
    return found.group(1) if found else None


def commit_of(tree):
    return first_line("git", "-C", tree, "describe", "--always", "--abbrev=12", "--dirty")


def describe(build, tree):
    compiler = file_value(os.path.join(build, "CMakeCache.txt"), r"^CMAKE_C_COMPILER:[^=]*=(.*)$")
    cpu = file_value("/proc/cpuinfo", r"^model name[^:]*: (.*)$") or os.uname().machine
    return {
        "commit": commit_of(tree),
        "kernel": f"{os.uname().sysname} {os.uname().release}",
        "cpu": f"{len(os.sched_getaffinity(0))} x {cpu}",
        "compiler": first_line(compiler, "--version") if compiler else "unknown",
        "load": f"{os.getloadavg()[0]:.2f}",
    }


def peers(directory):
    """What their build said of their versions."""
    try:
        with open(os.path.join(directory, "versions.txt"), encoding="utf-8") as file:
            return dict(line.strip().split(": ", 1) for line in file if ": " in line)
    except OSError:
        return {}
