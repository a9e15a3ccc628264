"""Slots in which run() gets all requests that wait, up to a limit, instead of one."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import NamedTuple

from estiva_server.batching import Batching
from estiva_server.scoreboard import Scoreboard
from estiva_server.scoring import Batch, Score, Scorer
from estiva_server.slots import Slots


class _Arrival(NamedTuple):
    at: float
    """Of `time.monotonic`."""
    score: Score


class BatchSlots(Slots):
    """Each slot has a thread, which waits for requests and then runs them together.

    A batch is what is there when a slot is free: so while all slots are busy, the next batch grows.
    """

    def __init__(self, scoreboard: Scoreboard, count: int, batching: Batching, scorer: Scorer) -> None:
        super().__init__(scoreboard, count)
        self._batching = batching
        self._scorer = scorer
        self._arrivals: deque[_Arrival] = deque()
        self._arrived = threading.Condition(self._lock)
        for number in range(count):
            threading.Thread(target=self._serve, name=f"estiva batches {number}", daemon=True).start()

    def add(self, score: Score) -> None:
        """Score the request in a batch to come."""
        now = time.monotonic()
        with self._lock:
            closed = self._closed
            if not closed:
                self._arrivals.append(_Arrival(now, score))
                self._scoreboard.note_waiting(len(self._arrivals))
                # Those in between change nothing: somebody waits with the first, or all slots are busy.
                if len(self._arrivals) in (1, self._batching.max_size):
                    self._arrived.notify()
        if closed:
            score.refuse()
        elif self.on_change is not None:
            self.on_change(now)

    def close(self) -> None:
        super().close()
        with self._lock:
            refused, self._arrivals = self._arrivals, deque()
        for arrival in refused:
            arrival.score.refuse()

    def _serve(self) -> None:
        while True:
            self.submit(Batch(self._scorer, self._take()))

    def _take(self) -> list[Score]:
        """The next batch; waits until one is due."""
        with self._arrived:
            while (seconds := self._patience()) != 0:
                self._arrived.wait(seconds)
            count = min(len(self._arrivals), self._batching.max_size)
            scores = [self._arrivals.popleft().score for _ in range(count)]
            self._scoreboard.note_waiting(len(self._arrivals))
            self._scoreboard.count_batch(count)
            if self._arrivals:
                self._arrived.notify()
        return scores

    def _patience(self) -> float | None:
        """Seconds until a batch is due; None while there is no request."""
        if not self._arrivals:
            return None
        if len(self._arrivals) >= self._batching.max_size:
            return 0.0
        return max(0.0, self._arrivals[0].at + self._batching.max_wait_ms / 1000 - time.monotonic())
