"""One server, measured once: start, throughput, latency, memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from benchmarks.serving.peers import Server
from benchmarks.serving.processes import Started, serving
from benchmarks.serving.wrk import Load, load

CONNECTIONS = (1, 16, 64)
WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Sample:
    start: float
    """Seconds to the first scored request."""
    loads: dict[int, Load]
    """By connections."""
    worker: int
    """Bytes that are resident in the process that scores."""
    total: int
    """Bytes of all its processes together, what they share counted once."""

    @property
    def figures(self) -> dict[str, float]:
        """By the name that a table has for them."""
        rates = {f"rps at {count}": load.requests_per_second for count, load in self.loads.items()}
        return {
            **rates,
            "p50 at 1": self.loads[1].p50,
            "start": self.start,
            "worker": self.worker,
            "total": self.total,
        }


def take_sample(server: Server, programs: Path, seconds: int) -> Sample:
    """Each load takes so many seconds. Raises ServingError, ValueError."""
    with serving(server, programs) as started:
        load(started.port, server.path, server.body, CONNECTIONS[-1], WARM_UP_SECONDS)
        loads = {count: load(started.port, server.path, server.body, count, seconds) for count in CONNECTIONS}
        return Sample(started.seconds, loads, *weigh(started))


def weigh(started: Started) -> tuple[int, int]:
    """Resident bytes of the largest process, and bytes of all."""
    memories = [process.memory_full_info() for process in started.tree()]
    return max(memory.rss for memory in memories), sum(memory.pss for memory in memories)


def worker_of(started: Started) -> psutil.Process:
    """The process that scores: the largest."""
    return max(started.tree(), key=lambda process: process.memory_info().rss)


def middle(samples: list[Sample]) -> dict[str, float]:
    """The median of each figure."""
    return {name: median(one.figures[name] for one in samples) for name in samples[0].figures}
