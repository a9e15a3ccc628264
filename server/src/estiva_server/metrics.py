"""What GET /metrics answers, as Prometheus text: the sums of all workers' scoreboards. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from estiva_server.scoreboard import BOUNDS, SIZES, Scoreboard

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_Sample = tuple[str, float]


def render(boards: Sequence[Scoreboard]) -> bytes:
    """All metrics of the server, whichever of its workers is asked."""
    lines = [line for family in _families(boards) for line in family]
    return ("\n".join(lines) + "\n").encode()


def _families(boards: Sequence[Scoreboard]) -> Iterator[Iterable[str]]:
    yield _family(
        "requests_total", "counter", "Requests to score, by the status of the answer.", _requests(boards)
    )
    running = sum(board.running for board in boards)
    yield _family("requests_running", "gauge", "Calls of run() in progress.", [("", running)])
    waiting = sum(board.waiting for board in boards)
    yield _family("requests_waiting", "gauge", "Requests that wait for a slot.", [("", waiting)])
    times = _histogram(BOUNDS, [b.buckets for b in boards], sum(b.run_seconds for b in boards))
    yield _family("run_seconds", "histogram", "How long run() took.", times)
    sizes = _histogram(SIZES, [b.batch_sizes for b in boards], sum(b.batched for b in boards))
    yield _family("batch_size", "histogram", "Requests that one batched run() was given.", sizes)
    restarts = sum(board.restarts for board in boards)
    yield _family("worker_restarts_total", "counter", "Workers that were replaced.", [("", restarts)])
    ready = [board.init_seconds for board in boards if board.init_seconds]
    yield _family("workers", "gauge", "Workers whose init() has returned.", [("", len(ready))])
    slowest = max(ready, default=0.0)
    said = "How long the script took to load and init(), in the slowest worker."
    yield _family("init_seconds", "gauge", said, [("", slowest)])


def _family(name: str, kind: str, said: str, samples: Iterable[_Sample]) -> Iterator[str]:
    yield f"# HELP estiva_{name} {said}"
    yield f"# TYPE estiva_{name} {kind}"
    for rest, value in samples:
        yield f"estiva_{name}{rest} {value:.15g}"


def _requests(boards: Sequence[Scoreboard]) -> list[_Sample]:
    counts = [board.answers for board in boards]
    return [(f'{{status="{status}"}}', sum(count[status] for count in counts)) for status in counts[0]]


def _histogram(bounds: Iterable[float], boards: Iterable[Sequence[int]], total: float) -> list[_Sample]:
    """Of the counts between the bounds, on each board; `total` is the sum of what was counted."""
    counts = accumulate(map(sum, zip(*boards, strict=True)))
    edges = [*map(str, bounds), "+Inf"]
    samples: list[_Sample] = [
        (f'_bucket{{le="{edge}"}}', count) for edge, count in zip(edges, counts, strict=True)
    ]
    return [*samples, ("_sum", total), ("_count", samples[-1][1])]
