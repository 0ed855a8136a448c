# SPDX-License-Identifier: MIT
"""
Echo servers under load: processor time of the server's process for a request, memory for a connection, and how long
vigil's futures wait from wake to poll meanwhile.
"""

import json
import os
import re
import resource
import subprocess

from processes import Server, pin, processors
from programs import Failed

# (workers, bytes, connections): seconds of a slice, slices in each round
FULL = {(1, 64, 50): (0.12, 3), (1, 64, 1): (0.2, 1), (1, 64, 1000): (0.4, 1), (1, 16384, 50): (0.2, 1),
        (2, 64, 50): (0.12, 3)}
QUICK = {(1, 64, 50): (0.12, 2), (2, 64, 50): (0.12, 2)}
CONNECTIONS = 1000  # opened to see what one costs
FIRST = 100  # opened before, so that what a server makes once is there


def bench_name(size, connections):
    return f"echo/{size}/{connections}"


def vigil_server(build):
    return os.path.join(build, "examples/echo_server")


def commands(build, before, peers):
    """name: the command that serves on {port} with {workers}. `before`: another build, or None."""
    reference = ["--listen", "127.0.0.1:{port}", "--workers", "{workers}"]
    vigil = [vigil_server(build), *reference]
    found = {"vigil": [*vigil, "--telemetry", "127.0.0.1:0"]}
    for name in ("multishot", "epoll", "oneshot"):
        found["ring " + name if name != "epoll" else name] = [os.path.join(build, f"bench/echo_{name}"), *reference]
    found["vigil again"] = vigil
    found["vigil level 0"] = [*vigil, "--level", "0"]
    found["vigil exact"] = [*vigil, "--level", "3"]
    if before:
        found["before"] = [vigil_server(before), *reference]
    for peer in peers:
        found[peer.name] = [peer.path, "echo", "{port}", "{workers}"]
    return found


def start(all_commands, workers):
    """Peers that have no server are left out."""
    running = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard > 0 else soft, hard))
    try:
        for name, command in all_commands.items():
            start_one(running, name, [part.replace("{workers}", str(workers)) for part in command], workers)
    except BaseException:
        end(running)
        raise
    return running


def start_one(running, name, command, workers):
    try:
        running.append(Server(name, command, processors()[0] if workers == 1 else None))
    except Failed:
        if "--listen" in command:  # one of ours
            raise


def end(running):
    failed = [server.name for server in running if server.end() != 0 and server.name.startswith("vigil")]
    if failed:
        raise Failed(f"{', '.join(failed)}: did not end with 0")


def load(build, server, workers, size, connections, seconds):
    command = [os.path.join(build, "bench/echo_load"), "--connect", server.address, "--pid", str(server.pid),
               "--thread", "vigil-watch", "--connections", str(connections), "--size", str(size),
               "--warm-up", "0.03", "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False,
                          preexec_fn=lambda: pin(processors()[1] if workers == 1 else None))
    if done.returncode != 0:
        raise Failed(f"the load on {server.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def measure(samples, build, server, shape, round_number, seconds):
    workers, size, connections = shape
    figures = load(build, server, workers, size, connections, seconds)
    requests = figures["requests"]
    if requests > 0:
        samples.add(server.name, bench_name(size, connections), workers, round_number, requests,
                    cpu=figures["server_ns_per_request"] * requests, wall=figures["seconds"] * 1e9,
                    watchdog_ns=figures["thread_ns_per_request"] * requests,
                    p99_us=figures["latency_us"]["p99"], user=figures["server_user_share"])


def waits(server):
    """{upper bound in seconds: wakes that were answered sooner}, of all that the server has counted."""
    found = {}
    for labels, count in re.findall(r"^vigil_schedule_duration_seconds_bucket\{([^}]*)\} (\d+)$", server.scrape(),
                                    re.MULTILINE):
        if 'segment="runtime"' in labels:
            bound = re.search(r'le="([^"]*)"', labels).group(1)
            found[bound] = found.get(bound, 0) + int(count)
    return found


def add_waits(total, shape, before, after):
    of_shape = total.setdefault("/".join(map(str, shape)), {})
    for bound, count in after.items():
        of_shape[bound] = of_shape.get(bound, 0) + count - before.get(bound, 0)


def memory(samples, server, workers):
    """By how much the server grows for each connection that has been used once."""
    sockets = []
    try:
        for i in range(FIRST + CONNECTIONS):
            sockets.append(server.connect())
            sockets[-1].sendall(b"x" * 64)
            if len(sockets[-1].recv(64)) == 0:
                raise Failed(f"{server.name} ends connections")
            if i + 1 == FIRST:
                before = server.resident()
        growth = server.resident() - before
    finally:
        for connection in sockets:
            connection.close()
    samples.add(server.name, "mem_connection", workers, 1, CONNECTIONS, bytes=float(growth))


def http(samples, build, wrk_script, rounds):
    """The HTTP server under wrk, for a second in each round."""
    server = Server("vigil", [os.path.join(build, "examples/http_server"), "--listen", "127.0.0.1:{port}",
                              "--workers", "1"], processors()[0])
    try:
        for round_number in range(1, rounds + 1):
            before = server.processor_ns()
            done = subprocess.run(["wrk", "-t1", "-c50", "-d1s", "-s", wrk_script, f"http://{server.address}/"],
                                  capture_output=True, text=True, timeout=60, check=False,
                                  preexec_fn=lambda: pin(processors()[1]))
            if done.returncode != 0:
                raise Failed(f"wrk: {done.stderr.strip()}")
            figures = json.loads(done.stderr)
            samples.add("vigil", "http", 1, round_number, figures["requests"],
                        cpu=float(server.processor_ns() - before), wall=figures["duration_us"] * 1e3,
                        p99_us=float(figures["latency_us"]["p99"]))
    finally:
        end([server])
