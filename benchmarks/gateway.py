"""The gateway: what it adds to one scoring server, against a bare HAProxy in front of the same one.

Each figure is the median of interleaved rounds, so that whatever else slows the machine down slows all of
them; what counts is the ratios. The bare HAProxy has ten lines: no limits, no queue, no log, no ids, and
server connections that are used again.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import httpx

from estiva.gateway import Gateway, binary, ports
from estiva.records import Listener, Member, Route, Version

HOST = "127.0.0.1"
CONNECTIONS = (1, 16, 64)
LONGEST_WAIT = 20.0
THROUGHPUT_RATIO = 0.9
SCALING_RATIO = 1.6
BODY = '{"data": [1, 2, 3, 4]}'

SUM = """\
import json
def init(): pass
def run(data): return {"sum": sum(json.loads(data)["data"])}
"""
BUSY = """\
import time
def init(): pass
def run(data):
    end = time.thread_time() + 0.05
    while time.thread_time() < end: pass
    return {}
"""
BARE = """\
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend f
    bind {host}:{port}
    default_backend b
backend b
    server s unix@{socket}
"""


@contextmanager
def program(*command: str, **variables: str) -> Iterator[None]:
    child = subprocess.Popen(
        command, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        child.terminate()
        child.wait(LONGEST_WAIT)


def replica(folder: Path, name: str, script: str, *where: str) -> list[str]:
    """The command of a scoring server with an app root of its own."""
    root = folder / name
    root.mkdir()
    (root / "score.py").write_text(script)
    return [sys.executable, "-m", "estiva_server", "--app-root", str(root), *where]


def route(name: str, concurrency: int, *sockets: Path) -> Route:
    members = tuple(Member(name=path.stem, address=f"unix:{path}") for path in sockets)
    limits = {"concurrency": concurrency, "wait_ms": 10_000, "timeout_ms": 60_000, "body_limit": 1_000_000}
    version = Version.model_validate({"name": "v1", "members": members, **limits})
    return Route(name=name, versions=(version,), listener=Listener(host=HOST, port=ports.free_port(HOST)))


def wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + LONGEST_WAIT
    while True:
        try:
            if httpx.get(f"http://{HOST}:{port}/").status_code == 200:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit(f"Nothing answers at port {port}.")
        time.sleep(0.05)


def drive(port: int, connections: int, seconds: int, script: Path) -> tuple[float, float]:
    """Requests per second and the median latency in microseconds, as wrk sees them. All must be 200."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", str(script)]
    url = f"http://{HOST}:{port}/score"
    done = subprocess.run([*command, url], capture_output=True, text=True, check=True, timeout=seconds + 20)
    if "Non-2xx" in done.stdout:
        raise SystemExit(f"Not all answers of port {port} are 200:\n{done.stdout}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    latency = re.search(r"50%\s+([\d.]+)(us|ms|s)", done.stdout)
    assert rate
    assert latency
    return float(rate[1]), float(latency[1]) * {"us": 1, "ms": 1e3, "s": 1e6}[latency[2]]


def measure(folder: Path, rounds: int, seconds: int) -> bool:
    """Prints the figures; whether both targets are met."""
    script = folder / "post.lua"
    script.write_text(f"wrk.method = 'POST'\nwrk.body = '{BODY}'\n")
    socket, first, second = folder / "sum.sock", folder / "r0.sock", folder / "r1.sock"
    direct, bare = ports.free_port(HOST), ports.free_port(HOST)
    (folder / "bare.cfg").write_text(BARE.format(host=HOST, port=bare, socket=socket))
    gateway = Gateway(folder / "gateway", folder)
    routes = [route("sum", 64, socket), route("one", 1, first), route("two", 1, first, second)]
    alone = replica(folder, "alone", SUM, "--port", str(direct))
    behind = replica(folder, "behind", SUM, "--unix-socket", str(socket))
    busy = [replica(folder, path.stem, BUSY, "--unix-socket", str(path)) for path in (first, second)]
    with ExitStack() as stack:
        for command in (alone, behind, *busy, [str(binary.find()), "-f", str(folder / "bare.cfg")]):
            stack.enter_context(program(*command))
        stack.callback(gateway.stop)
        gateway.apply(routes)
        published = [one.listener.port for one in routes if one.listener]
        for port in (direct, bare, *published):
            wait_until_ready(port)
        fast = compare({"replica": direct, "bare": bare, "gateway": published[0]}, rounds, seconds, script)
        one, two = (median(drive(p, 8, 2 * seconds, script)[0] for _ in range(rounds)) for p in published[1:])
    print(f"two replicas of 50 ms CPU: {two:.1f} requests/s, one: {one:.1f}: {two / max(one, 0.1):.2f} x")
    return fast and two >= SCALING_RATIO * one


def compare(published: dict[str, int], rounds: int, seconds: int, script: Path) -> bool:
    enough = True
    for connections in CONNECTIONS:
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in published}
        for _ in range(rounds):
            for name, port in published.items():
                seen[name].append(drive(port, connections, seconds, script))
        rates = {name: median(rate for rate, _ in one) for name, one in seen.items()}
        waits = {name: median(wait for _, wait in one) for name, one in seen.items()}
        ratio = rates["gateway"] / rates["bare"]
        figures = ", ".join(f"{name} {rates[name]:.0f}/s {waits[name]:.0f} us" for name in published)
        print(f"{connections:3} connections: {figures}; gateway {ratio:.2f} x bare")
        enough = enough and (connections == 1 or ratio >= THROUGHPUT_RATIO)
    return enough


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench gateway", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    arguments = parser.parse_args()
    if binary.find() is None:
        raise SystemExit(binary.explain())
    with tempfile.TemporaryDirectory(prefix="estiva-") as temporary:
        met = measure(Path(temporary), arguments.rounds, arguments.seconds)
    targets = f"{THROUGHPUT_RATIO} x bare at 16 and 64 connections, two replicas {SCALING_RATIO} x one"
    print(f"targets ({targets}): {'met' if met else 'missed'}")
    sys.exit(not met)


if __name__ == "__main__":
    main()
