"""Shared memory in which workers note what they do; the supervisor and every worker's /metrics read it.

The supervisor must see a request that is stuck even when the worker can no longer say so, because a C
extension holds the interpreter's lock. Each cell has one writing process and is one aligned 8-byte store,
so there is no lock that a killed worker could leave behind. Within a worker, the callers that share a cell
hold a lock of that worker's.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Sequence

CELL = 8

STATUSES = (200, 400, 404, 405, 413, 415, 431, 500, 502, 503, 504)
"""Answers are counted by these; any other status is counted as the last cell, "other"."""
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the run-time histogram's buckets in seconds; a last one has none."""
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
"""Upper bounds of the batch sizes' histogram; a last bucket has none."""

_SUCCESS, _WAITING, _INIT, _ACCEPTS, _RESTARTS, _RUN_SECONDS, _BATCHED = range(7)
_ANSWERS = 7
_BUCKETS = _ANSWERS + len(STATUSES) + 1
_BATCHES = _BUCKETS + len(BOUNDS) + 1
_SLOTS = _BATCHES + len(SIZES) + 1

_PLACES = {status: _ANSWERS + place for place, status in enumerate(STATUSES)}
_OTHER = _ANSWERS + len(STATUSES)


class Scoreboard:
    """What one worker notes. Times are those of `time.monotonic`, 0 is none."""

    def __init__(self, slots: int, cells: memoryview[float] | None = None) -> None:
        self._cells = _allocate(slots, 1) if cells is None else cells
        self.everyone: Sequence[Scoreboard] = (self,)
        """The scoreboards of all workers of the server."""

    # --- by the worker -------------------------------------------------------------------------------------

    def begin(self, slot: int, now: float) -> None:
        self._cells[_SLOTS + slot] = now

    def end(self, slot: int) -> None:
        self._cells[_SLOTS + slot] = 0.0

    def note_success(self, now: float) -> None:
        self._cells[_SUCCESS] = now

    def note_waiting(self, count: int) -> None:
        """How many requests wait for a slot."""
        self._cells[_WAITING] = count

    def note_init(self, seconds: float) -> None:
        """The script is loaded and init() has returned; it took so long."""
        self._cells[_INIT] = seconds

    def note_accepts(self, accepts: bool) -> None:
        """Whether it accepts connections."""
        self._cells[_ACCEPTS] = accepts

    def count_run(self, seconds: float) -> None:
        """A run() ended. One thread at a time."""
        cells = self._cells
        cells[_RUN_SECONDS] += seconds
        cells[_BUCKETS + bisect_left(BOUNDS, seconds)] += 1

    def count_batch(self, size: int) -> None:
        """So many requests are handed to one run(). One thread at a time."""
        cells = self._cells
        cells[_BATCHED] += size
        cells[_BATCHES + bisect_left(SIZES, size)] += 1

    def count_answer(self, status: int) -> None:
        """A request to score was answered. One thread at a time."""
        self._cells[_PLACES.get(status, _OTHER)] += 1

    # --- by the supervisor ---------------------------------------------------------------------------------

    def clear(self) -> None:
        """Its worker is dead: forget what it was doing. What it counted stays."""
        for cell in (_SUCCESS, _WAITING, _INIT, _ACCEPTS, *range(_SLOTS, len(self._cells))):
            self._cells[cell] = 0.0

    def count_restart(self) -> None:
        """Its worker died, or is stuck, and is replaced."""
        self._cells[_RESTARTS] += 1

    # --- to read -------------------------------------------------------------------------------------------

    @property
    def scored_at(self) -> float:
        """When a request was last scored."""
        return self._cells[_SUCCESS]

    @property
    def scored(self) -> bool:
        """Whether any request was scored."""
        return self.scored_at > 0

    def oldest(self) -> float | None:
        """When the request that runs longest began."""
        return min((cell for cell in self._cells[_SLOTS:] if cell > 0), default=None)

    @property
    def running(self) -> int:
        return sum(cell > 0 for cell in self._cells[_SLOTS:])

    @property
    def waiting(self) -> int:
        return int(self._cells[_WAITING])

    @property
    def load(self) -> int:
        """Requests that run or wait."""
        return self.running + self.waiting

    @property
    def accepts(self) -> bool:
        return self._cells[_ACCEPTS] > 0

    @property
    def init_seconds(self) -> float:
        """0 if there is no worker, or none that is ready."""
        return self._cells[_INIT]

    @property
    def restarts(self) -> int:
        return int(self._cells[_RESTARTS])

    @property
    def run_seconds(self) -> float:
        return self._cells[_RUN_SECONDS]

    @property
    def buckets(self) -> list[int]:
        """How many run() took at most so long: one count for each of BOUNDS (not summed), and the rest."""
        return [int(cell) for cell in self._cells[_BUCKETS:_BATCHES]]

    @property
    def batched(self) -> int:
        """Requests that were handed over in batches."""
        return int(self._cells[_BATCHED])

    @property
    def batch_sizes(self) -> list[int]:
        """How many batches had at most so many requests: one count for each of SIZES, and the rest."""
        return [int(cell) for cell in self._cells[_BATCHES:_SLOTS]]

    @property
    def answers(self) -> dict[str, int]:
        """How many requests to score were answered with which status."""
        counts = [int(cell) for cell in self._cells[_ANSWERS:_BUCKETS]]
        return dict(zip([*map(str, STATUSES), "other"], counts, strict=True))


def make_scoreboards(count: int, slots: int) -> list[Scoreboard]:
    """Made before workers are forked, for as many as can live at a time, with `slots` each."""
    cells = _allocate(slots, count)
    width = len(cells) // count
    boards = [Scoreboard(slots, cells[width * one : width * (one + 1)]) for one in range(count)]
    for board in boards:
        board.everyone = boards
    return boards


def _allocate(slots: int, count: int) -> memoryview[float]:
    return memoryview(mmap.mmap(-1, CELL * count * (_SLOTS + slots))).cast("d")
