"""What the supervisor and its workers weigh, over time."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

import psutil

from benchmarks.serving.processes import Started
from benchmarks.serving.report import table
from benchmarks.serving.trouble import workers_of

_INTERVAL_SECONDS = 1.0
_ROWS = 12
_MIB = 2**20


@dataclass(frozen=True)
class Weights:
    """Resident bytes."""

    at: float
    """Seconds after the first."""
    supervisor: int
    workers: dict[int, int]
    """By process."""


class Scale:
    def __init__(self, started: Started) -> None:
        self.taken: list[Weights] = []
        self._started = started
        self._began = time.monotonic()

    def weigh(self) -> None:
        """Call it as often as you like: it weighs once a second."""
        at = time.monotonic() - self._began
        if self.taken and at - self.taken[-1].at < _INTERVAL_SECONDS:
            return
        workers = {}
        for worker in workers_of(self._started):
            with suppress(psutil.NoSuchProcess):
                workers[worker.pid] = worker.memory_info().rss
        self.taken.append(Weights(at, self._started.process.memory_info().rss, workers))

    def table(self) -> str:
        shown = self.taken[:: max(1, len(self.taken) // _ROWS)]
        rows = [
            [
                f"{one.at:.0f} s",
                f"{one.supervisor / _MIB:.1f} MiB",
                ", ".join(f"{size / _MIB:.1f}" for size in one.workers.values()) + " MiB",
            ]
            for one in shown
        ]
        return table(["", "supervisor", "workers"], rows)


def growth(weights: list[int]) -> float:
    """The median of the last quarter as a multiple of that of the first."""
    part = max(1, len(weights) // 4)
    return median(weights[-part:]) / median(weights[:part])


def worker_growth(taken: list[Weights]) -> float:
    """The largest of the workers that lived all the time."""
    steady = set.intersection(*(set(one.workers) for one in taken))
    return max((growth([one.workers[pid] for one in taken]) for pid in steady), default=float("nan"))
