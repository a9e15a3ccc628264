"""Batching: run() gets the requests that come together as one list, and returns the list of their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

MARK = "__estiva_batched__"
"""The attribute by which @batched marks a function."""

_Run = TypeVar("_Run", bound=Callable[..., Any])


@dataclass(frozen=True)
class Batching:
    max_size: int = 32
    """Requests that one run() gets at most."""
    max_wait_ms: float = 5.0
    """How long the first of them waits for others."""

    def __post_init__(self) -> None:
        if self.max_size < 1 or self.max_wait_ms < 0:
            raise ValueError(
                f"Batches of {self.max_size} requests after {self.max_wait_ms} ms cannot be: max_size must "
                "be 1 or more, max_wait_ms 0 or more."
            )


@overload
def batched(run: _Run, /) -> _Run: ...
@overload
def batched(*, max_size: int = ..., max_wait_ms: float = ...) -> Callable[[_Run], _Run]: ...
def batched(
    run: _Run | None = None,
    /,
    *,
    max_size: int = Batching.max_size,
    max_wait_ms: float = Batching.max_wait_ms,
) -> _Run | Callable[[_Run], _Run]:
    """Have run() called with lists: `@batched`, or `@batched(max_size=64, max_wait_ms=2)`.

    It is called when `max_size` requests are there, or when the first has waited for `max_wait_ms`, with the
    list of their data (and of their headers, if it has a parameter `request_headers`), and returns a list of
    as many results, in the same order. A result that is an exception fails its own request. When run()
    raises, the batch is halved and run again, until the request that makes it fail is alone: so run() must
    have no side effects that a second call would repeat.
    """
    batching = Batching(max_size, max_wait_ms)

    def mark(function: _Run) -> _Run:
        setattr(function, MARK, batching)
        return function

    return mark if run is None else mark(run)


def choose(marked: Batching | None, max_size: int, max_wait_ms: int | None) -> Batching | None:
    """What the script says of itself, but for what it is told: a size that is not 0, a wait that is not None.

    None: no batching, unless the script or a size says so.
    """
    if marked is None and not max_size:
        return None
    said = marked or Batching()
    return Batching(max_size or said.max_size, said.max_wait_ms if max_wait_ms is None else max_wait_ms)
