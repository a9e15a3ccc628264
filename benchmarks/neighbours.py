"""Neighbours at one gateway: whether one in trouble slows a service and an endpoint down.

A service and an endpoint of two versions are asked at a steady pace, alone and beside a neighbour that fails,
sleeps or is flooded. The machine must not be saturated, by the neighbour's requests either: they are paced
too, and come from a process of their own. What counts is the ratio of the 99th percentiles, as the median
over interleaved rounds.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, suppress
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

from benchmarks.gateway import HOST, SUM, program, replica, wait_until_ready
from estiva.gateway import Gateway, binary, ports
from estiva.records import Listener, Member, Route, Version

RATIO = 1.3
PACE = 40
"""Requests per second to the service, and to the endpoint."""
WATCHED = ("service", "endpoint")
BODY = b'{"data": [1, 2, 3, 4]}'

FAILING = "def init(): pass\ndef run(data): raise ValueError('always')\n"
SLEEPING = "import time\ndef init(): pass\ndef run(data): time.sleep(5)\n"
BUSY = "import time\ndef init(): pass\ndef run(data): time.sleep(0.1)\n"
TROUBLE = {"failing": (FAILING, 40), "sleeping": (SLEEPING, 20), "flooded": (BUSY, 120)}
"""Each neighbour's script, and how many requests per second it gets."""
DEADLINE_MS = 500
SATURATED = 85
"""Percent of the CPU."""


def version(name: str, socket: Path, weight: int = 0) -> Version:
    return Version(
        name=name,
        members=(Member(name=socket.stem, address=f"unix:{socket}"),),
        concurrency=1,
        wait_ms=500,
        timeout_ms=DEADLINE_MS,
        body_limit=1_000_000,
        weight=weight,
        is_default=not weight,
    )


def routes(folder: Path) -> dict[str, Route]:
    """By name; each on a port of its own."""
    found = {
        "service": Route(name="service", versions=(version("v1", folder / "service.sock"),)),
        "endpoint": Route(
            name="endpoint",
            kind="endpoint",
            versions=(version("a", folder / "a.sock"), version("b", folder / "b.sock", weight=50)),
        ),
    }
    for name in TROUBLE:
        found[name] = Route(name=name, versions=(version("v1", folder / f"{name}.sock"),))
    return {name: on_port(route) for name, route in found.items()}


def on_port(route: Route) -> Route:
    return route.model_copy(update={"listener": Listener(host=HOST, port=ports.free_port(HOST))})


class Figures(NamedTuple):
    """99th percentiles in milliseconds by what was watched, and how busy the machine was."""

    p99: dict[str, float]
    cpu: float


class Told(NamedTuple):
    """What callers at a pace were told."""

    statuses: dict[int, int]
    p99: float
    """Milliseconds."""


def pace(port: int, per_second: int, seconds: float) -> Told:
    """Callers who together send so many requests a second, whether they are answered or not."""
    begin = time.monotonic()
    turns = deque(range(int(per_second * seconds)))
    answers: list[tuple[int, float]] = []

    def call() -> None:
        with suppress(IndexError):
            while True:
                turn = turns.popleft()
                time.sleep(max(0.0, begin + turn / per_second - time.monotonic()))
                began = time.monotonic()
                answers.append((ask(port), 1000 * (time.monotonic() - began)))

    callers = [threading.Thread(target=call) for _ in range(max(4, per_second * 3 // 5))]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    latencies = sorted(latency for _, latency in answers)
    statuses = Counter(status for status, _ in answers)
    return Told(dict(statuses), latencies[int(0.99 * (len(latencies) - 1))])


def ask(port: int) -> int:
    with closing(http.client.HTTPConnection(HOST, port, timeout=30)) as connection:
        connection.request("POST", "/score", BODY, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status


def beside(
    pool: ProcessPoolExecutor, port_of: dict[str, int], trouble: str | None, seconds: float
) -> Figures:
    """All answers of what is watched must be 200."""
    psutil.cpu_percent()
    rates = dict.fromkeys(WATCHED, PACE) | ({trouble: TROUBLE[trouble][1]} if trouble else {})
    running = {name: pool.submit(pace, port_of[name], rate, seconds) for name, rate in rates.items()}
    told = {name: one.result() for name, one in running.items()}
    if any(set(told[name].statuses) != {200} for name in WATCHED):
        raise SystemExit(f"Beside the neighbour {trouble} not all answers were 200: {told}")
    neighbour = f", neighbour told {told[trouble].statuses}" if trouble else ""
    cpu = psutil.cpu_percent()
    print(f"    {trouble or 'alone':10} CPU {cpu:.0f} %{neighbour}")
    return Figures({name: told[name].p99 for name in WATCHED}, cpu)


def measure(folder: Path, rounds: int, seconds: float) -> bool:
    """Prints the figures; whether no ratio is above the limit."""
    found = routes(folder)
    scripts = {"service": SUM, "a": SUM, "b": SUM, **{name: script for name, (script, _) in TROUBLE.items()}}
    port_of = {name: route.listener.port for name, route in found.items() if route.listener}
    gateway = Gateway(folder / "gateway", folder)
    with ExitStack() as stack:
        for name, script in scripts.items():
            command = replica(folder, name, script, "--unix-socket", str(folder / f"{name}.sock"))
            stack.enter_context(program(*command, SCORING_TIMEOUT_MS=str(DEADLINE_MS)))
        stack.callback(gateway.stop)
        gateway.apply(list(found.values()))
        for port in port_of.values():
            wait_until_ready(port)
        pool = stack.enter_context(ProcessPoolExecutor(len(WATCHED) + 1, get_context("spawn")))
        seen = [
            {trouble: beside(pool, port_of, trouble, seconds) for trouble in (None, *TROUBLE)}
            for _ in range(rounds)
        ]
    return report(seen)


def report(seen: list[dict[str | None, Figures]]) -> bool:
    kept = True
    for name in WATCHED:
        alone = median(one[None].p99[name] for one in seen)
        print(f"{name}: p99 {alone:.1f} ms alone")
        for trouble in TROUBLE:
            ratio = median(one[trouble].p99[name] / one[None].p99[name] for one in seen)
            kept = kept and ratio <= RATIO
            print(f"  beside a neighbour that is {trouble}: {ratio:.2f} x")
    if any(figures.cpu > SATURATED for one in seen for figures in one.values()):
        print("The machine was saturated: these figures say nothing of the gateway. Run it on an idle one.")
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench neighbours", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    arguments = parser.parse_args()
    if binary.find() is None:
        raise SystemExit(binary.explain())
    with tempfile.TemporaryDirectory(prefix="estiva-") as temporary:
        kept = measure(Path(temporary), arguments.rounds, arguments.seconds)
    print(f"target (p99 at most {RATIO} x the one without trouble): {'met' if kept else 'missed'}")
    sys.exit(not kept)


if __name__ == "__main__":
    main()
