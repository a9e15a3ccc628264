"""Tells waiting threads that something about some service changed."""

from __future__ import annotations

import threading


class Changes:
    """A counter that threads can wait on. Those who wake read the state anew: it says when, never what."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0

    @property
    def count(self) -> int:
        return self._count

    def announce(self) -> None:
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, seen: int, seconds: float) -> int:
        """Returns when the counter is past `seen`, or after `seconds`; the answer is the counter now."""
        with self._condition:
            self._condition.wait_for(lambda: self._count > seen, timeout=seconds)
            return self._count
