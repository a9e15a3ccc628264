"""Two workers against one, and batches against single requests, for scripts whose run() costs something."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.serving.peers import ESTIVA, EXPECTED, Server
from benchmarks.serving.processes import serving
from benchmarks.serving.report import Target
from benchmarks.serving.wrk import load

BUSY_SECONDS = 0.05

_BUSY = f"""
import time

def init():
    pass

def run(data):
    end = time.thread_time() + {BUSY_SECONDS}
    while time.thread_time() < end:
        pass
    return {{"result": {EXPECTED}}}
"""


def measure_workers(programs: Path, rounds: int, seconds: int) -> Target:
    one, two = [], []
    server = replace(ESTIVA, files={"score.py": _BUSY})
    for _ in range(rounds):
        one.append(_rate(server, programs, {"WORKER_COUNT": "1"}, 16, seconds))
        two.append(_rate(server, programs, {"WORKER_COUNT": "2"}, 16, seconds))
    return Target("two workers to one, run() of 50 ms of CPU", median(two) / median(one), least=1.6)


def _rate(server: Server, programs: Path, variables: dict[str, str], connections: int, seconds: int) -> float:
    with serving(server, programs, variables) as started:
        return load(started.port, server.path, server.body, connections, seconds).requests_per_second
