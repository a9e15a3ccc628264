"""Workers that are killed and requests that get stuck, and which failures they explain."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from benchmarks.serving.clients import CLOSED, Clients, Failure, Stuck
from benchmarks.serving.processes import ServingError, Started

KINDS = ("SIGKILL", "SIGSEGV", "loop", "lock")
MEAN_SECONDS = 6.0
"""Between two troubles: each has passed before the next, even where a worker is killed after its deadline."""
GRACE_SECONDS = 1.0
"""So long after a trouble its worker may still lose connections."""
_PAUSE = 0.25


@dataclass(frozen=True)
class Trouble:
    """What was done to a worker."""

    kind: str
    worker: int
    began: float
    ended: float
    id: str | None = None
    """Of the request that got stuck."""

    def explains(self, failure: Failure) -> bool:
        """Whether the failure is what this does, to the worker it was done to, while it was done."""
        if failure.id == self.id:
            # A worker that lets nothing else run cannot answer; without a gateway it closes the connection.
            return failure.said == CLOSED or (failure.said, self.kind) == ("504", "loop")
        if failure.said != CLOSED and (failure.said, self.kind) != ("503", "loop"):
            return False
        at_the_time = failure.ended >= self.began and failure.sent <= self.ended + GRACE_SECONDS
        return at_the_time and failure.worker in (None, self.worker)


def troubles_of(kills: list[Trouble], stuck: list[Stuck]) -> list[Trouble]:
    return kills + [Trouble(one.kind, one.worker, one.sent, one.ended, one.id) for one in stuck]


def unexplained(failures: list[Failure], troubles: list[Trouble]) -> list[Failure]:
    return [one for one in failures if not any(trouble.explains(one) for trouble in troubles)]


def disturb(
    started: Started, clients: Clients, seconds: float, seed: int, on_pause: Callable[[], None]
) -> list[Trouble]:
    """Make trouble for so long; `on_pause` is called again and again meanwhile. Returns the kills.

    Raises ServingError if the server ends or scores nothing more.
    """
    chance = random.Random(seed)
    kills: list[Trouble] = []
    kinds: list[str] = []
    end = time.monotonic() + seconds
    while True:
        due = time.monotonic() + chance.uniform(0.7, 1.3) * MEAN_SECONDS
        if due + MEAN_SECONDS > end:  # the last one is over at the end
            watch(started, end, on_pause)
            return kills
        watch(started, due, on_pause)
        _await_success(started, clients)
        kinds = kinds or chance.sample(KINDS, len(KINDS))
        kind = kinds.pop()
        if kind in ("loop", "lock"):
            clients.to_be_stuck.put(kind)
        else:
            kills += _kill(started, signal.Signals[kind], chance)


def watch(started: Started, until: float, on_pause: Callable[[], None]) -> None:
    """Raises ServingError if the server ends."""
    while time.monotonic() < until:
        if started.process.poll() is not None:
            raise ServingError(f"The server has ended; the end of its log:\n{started.log[-2000:]}")
        on_pause()
        time.sleep(_PAUSE)


def workers_of(started: Started) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return list(started.process.children())
    return []


def _await_success(started: Started, clients: Clients) -> None:
    """Deaths without a success between them are a crash loop, which ends the server, as it should."""
    before, deadline = len(clients.latencies), time.monotonic() + 30
    while len(clients.latencies) == before:
        if time.monotonic() > deadline:
            raise ServingError(f"Nothing was scored for 30 s; the end of the log:\n{started.log[-2000:]}")
        time.sleep(_PAUSE)


def _kill(started: Started, number: signal.Signals, chance: random.Random) -> list[Trouble]:
    workers = workers_of(started)
    if not workers:
        return []
    worker, now = chance.choice(workers), time.monotonic()
    try:
        worker.send_signal(number)
    except psutil.NoSuchProcess:  # it ended by itself
        return []
    return [Trouble(number.name, worker.pid, now, now)]
