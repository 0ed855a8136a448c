# SPDX-License-Identifier: MIT
"""Servers as processes: started, asked for what they use, ended."""

import os
import re
import select
import signal
import socket
import subprocess
import time
import urllib.request

from programs import Failed


class Server:
    """`arguments` may contain {port} for one that is free. `processor`: the only one it may use, or None."""

    def __init__(self, name, arguments, processor=None):
        self.name = name
        port = str(free_port())
        try:
            self.process = subprocess.Popen(
                [argument.replace("{port}", port) for argument in arguments], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=lambda: pin(processor))
        except OSError as error:
            raise Failed(f"{name}: {error}") from error
        self.text = ""
        try:
            self.wait_for("listening")
        except BaseException:
            self.end()
            raise
        found = re.search(r"listening on (\S+:\d+)", self.text)
        self.address = found.group(1) if found else f"127.0.0.1:{port}"
        found = re.search(r"telemetry on (\S+)", self.text)
        self.telemetry = found.group(1) if found else None

    @property
    def pid(self):
        return self.process.pid

    def wait_for(self, word):
        end = time.monotonic() + 10
        while not re.search(word + r".*\n", self.text):
            ready, _, _ = select.select([self.process.stdout], [], [], max(end - time.monotonic(), 0))
            piece = os.read(self.process.stdout.fileno(), 4096).decode() if ready else ""
            if not piece:
                raise Failed(f"{self.name} does not serve")
            self.text += piece

    def processor_ns(self):
        """All threads, those that have ended included: the process's clock, as clock_getcpuclockid() has it."""
        return time.clock_gettime_ns((~self.pid << 3) | 2)

    def resident(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def connect(self):
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=10)

    def scrape(self):
        with urllib.request.urlopen(f"http://{self.telemetry}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def end(self):
        """Returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process.stdout.close()


def pin(processor):
    if processor is not None:
        os.sched_setaffinity(0, {processor})


def processors():
    """One for a server and one for its load; None twice, if there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
