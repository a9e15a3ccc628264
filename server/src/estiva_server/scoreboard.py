"""Shared memory in which a worker notes what it runs, and its supervisor reads it.

The supervisor must see a request that is stuck even when the worker can no longer say so, because a C
extension holds the interpreter's lock. Each cell has one writer and is one aligned 8-byte store, so there
is no lock that a killed worker could leave behind.
"""

from __future__ import annotations

import mmap

CELL = 8


class Scoreboard:
    """Made by the supervisor before it forks. Times are those of `time.monotonic`, 0 is none."""

    def __init__(self, slots: int) -> None:
        self._cells = memoryview(mmap.mmap(-1, CELL * (slots + 1))).cast("d")

    def begin(self, slot: int, now: float) -> None:
        self._cells[slot + 1] = now

    def end(self, slot: int) -> None:
        self._cells[slot + 1] = 0.0

    def note_success(self, now: float) -> None:
        self._cells[0] = now

    @property
    def scored(self) -> bool:
        """Whether any request was scored."""
        return self._cells[0] > 0

    def oldest(self) -> float | None:
        """When the request that runs longest began."""
        return min((cell for cell in self._cells[1:] if cell > 0), default=None)
