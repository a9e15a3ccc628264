"""Who may run(): as many requests at a time as the service has slots; the others wait in line.

A waiting request holds no thread, so the server's threads are free for the health check. The thread that
ends a run() takes the next in line.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from estiva_server.scoreboard import Scoreboard

log = logging.getLogger("estiva_server")

_BRISK_SECONDS = 0.0005
"""A run() of at most so long is over before another thread has got to work."""
_STALE_SECONDS = 0.005
"""So long after the last brisk run(), nothing is known of the present one."""
_REST_SECONDS = 0.04


class Job(Protocol):
    """A request that waits for a slot."""

    def run(self) -> None:
        """Run and answer it."""

    def refuse(self) -> None:
        """Answer that it will not be run."""

    def expire(self, where: str) -> None:
        """Answer that it took too long, while it still runs in another thread; `where` is its stack."""


class Running(NamedTuple):
    began: float
    """Of `time.monotonic`."""
    thread: int
    job: Job


class Slots:
    def __init__(self, scoreboard: Scoreboard, count: int) -> None:
        self.on_change: Callable[[float], None] | None = None
        """Called with the time when a job has begun, or waits, or all have ended."""
        self._scoreboard = scoreboard
        self._free = list(range(count))
        self._waiting: deque[Job] = deque()
        self._running: list[Running | None] = [None] * count
        self._closed = False
        self._brisk_until = 0.0
        self._lock = threading.Lock()

    def submit(self, job: Job) -> None:
        """Run the job now in this thread, or later in the thread that frees a slot."""
        with self._lock:
            closed = self._closed
            slot = self._free.pop() if self._free and not closed else None
            if slot is None and not closed:
                self._waiting.append(job)
                self._scoreboard.note_waiting(len(self._waiting))
        if closed:
            job.refuse()
        elif slot is not None:
            self._work(slot, job)
        else:
            self._step_back()

    def _step_back(self) -> None:
        """In the thread of a request that was put in line.

        While runs are brisk, a second thread that fetches requests only takes the interpreter's lock from the
        one that runs them, which can fetch its own; so it rests a moment. As soon as a run() takes longer, it
        does not, since others may ask for what needs no slot.
        """
        now = time.monotonic()
        if self.on_change is not None:
            self.on_change(now)
        if now < self._brisk_until:
            time.sleep(_REST_SECONDS)

    def close(self) -> None:
        """Refuse who waits and who comes; what runs goes on. Idempotent."""
        with self._lock:
            self._closed = True
            refused, self._waiting = self._waiting, deque()
            self._scoreboard.note_waiting(0)
        for job in refused:
            job.refuse()

    def running(self) -> list[Running]:
        return [one for one in self._running if one is not None]

    def _work(self, slot: int, job: Job | None) -> None:
        while job is not None:
            began = time.monotonic()
            self._running[slot] = Running(began, threading.get_ident(), job)
            self._scoreboard.begin(slot, began)
            if self.on_change is not None:
                self.on_change(began)
            try:
                job.run()
            except Exception:
                log.exception("A request could not be answered")  # the next in line must be, all the same
            self._scoreboard.end(slot)
            self._running[slot] = None
            ended = time.monotonic()
            self._brisk_until = ended + _STALE_SECONDS if ended - began < _BRISK_SECONDS else 0.0
            job = self._next(slot, ended - began)
            if self.on_change is not None:
                self.on_change(ended)

    def _next(self, slot: int, seconds: float) -> Job | None:
        """The job that is next in the slot, after one that took so long."""
        with self._lock:
            self._scoreboard.count_run(seconds)
            if self._waiting:
                job = self._waiting.popleft()
                self._scoreboard.note_waiting(len(self._waiting))
                return job
            self._free.append(slot)
            return None
