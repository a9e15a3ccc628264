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


BATCHED_SECONDS = 0.005
BATCHED_CONNECTIONS = 32

_BATCHED = f"""
import time

def init():
    pass

def run(data):
    time.sleep({BATCHED_SECONDS})
    return [{{"result": {EXPECTED}}}] * len(data) if isinstance(data, list) else {{"result": {EXPECTED}}}
"""


def measure_workers(programs: Path, rounds: int, seconds: int) -> Target:
    one, two = [], []
    server = replace(ESTIVA, files={"score.py": _BUSY})
    for _ in range(rounds):
        one.append(_rate(server, programs, {"WORKER_COUNT": "1"}, 16, seconds))
        two.append(_rate(server, programs, {"WORKER_COUNT": "2"}, 16, seconds))
    return Target("two workers to one, run() of 50 ms of CPU", median(two) / median(one), least=1.6)


def measure_batches(programs: Path, rounds: int, seconds: int) -> Target:
    """A call costs the same whatever its size, so the more requests share one the better."""
    single, batched = [], []
    server = replace(ESTIVA, files={"score.py": _BATCHED})
    batches = {"ESTIVA_BATCH_MAX_SIZE": str(BATCHED_CONNECTIONS), "ESTIVA_BATCH_MAX_WAIT_MS": "2"}
    for _ in range(rounds):
        single.append(_rate(server, programs, {}, BATCHED_CONNECTIONS, seconds))
        batched.append(_rate(server, programs, batches, BATCHED_CONNECTIONS, seconds))
    ratio = median(batched) / median(single)
    return Target("batches to single requests, 5 ms a call, 32 connections", ratio, least=6)


def _rate(server: Server, programs: Path, variables: dict[str, str], connections: int, seconds: int) -> float:
    with serving(server, programs, variables) as started:
        return load(started.port, server.path, server.body, connections, seconds).requests_per_second
