"""Large bodies: the same text in and out, against the limit."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.serving.peers import ESTIVA, LIMIT, Server
from benchmarks.serving.processes import Started, ask, serving
from benchmarks.serving.report import Target
from benchmarks.serving.samples import worker_of

BYTES = 50 * 1024 * 1024
MEMORY_BODIES = 15
"""Resident memory goes up and down by some megabytes with what threads keep; a leak would be 50 a body."""

_SCORE = """
import json

def init():
    pass

def run(data):
    return data if len(data) > 1000 else {"result": [%s]}
"""

_APP = """
import json

def app(environment, start_response):
    data = environment["wsgi.input"].read().decode()
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps(data if len(data) > 1000 else {"result": [%s]}).encode()]
"""


def echoes(result: float) -> tuple[Server, Server]:
    """Ours and the limit, answering a large text with itself and a small one with `result`."""
    ours = replace(ESTIVA, files={"score.py": _SCORE % result})
    return ours, replace(LIMIT, files={"app.py": _APP % result})


def measure_bodies(programs: Path, rounds: int, expected: float, size: int = BYTES) -> list[Target]:
    ours, limit = echoes(expected)
    body = b"x" * size
    with serving(ours, programs) as first, serving(limit, programs) as second:
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for times, server, started in zip(seconds, (ours, limit), (first, second), strict=True):
                times.append(_time(started, server, body))
        memories = [_memory_after(first, ours, body) for _ in range(2 * MEMORY_BODIES)]
    megabytes = size // 2**20
    return [
        Target(
            f"{megabytes} MB in and out, time to the limit's",
            median(seconds[0]) / median(seconds[1]),
            most=1.5,
        ),
        Target(
            f"memory after {MEMORY_BODIES} to {2 * MEMORY_BODIES} such bodies, to before",
            median(memories[MEMORY_BODIES:]) / median(memories[:MEMORY_BODIES]),
            most=1.1,
        ),
    ]


def _memory_after(started: Started, server: Server, body: bytes) -> int:
    _time(started, server, body)
    return int(worker_of(started).memory_info().rss)


def _time(started: Started, server: Server, body: bytes) -> float:
    began = time.perf_counter()
    status, answer = ask(started.port, server.path, body)
    took = time.perf_counter() - began
    if status != 200 or answer != b'"' + body + b'"':
        raise ValueError(f"{server.name} answered {status} with {len(answer)} bytes")
    return took
