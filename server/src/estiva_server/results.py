"""What run() returned, as JSON; and what to say when JSON cannot hold it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

_DEPTH = 30
"""How deep to look for the culprit; deeper, or in a cycle, the result as a whole is named."""


class ResultError(Exception):
    """JSON cannot hold what run() returned; the message tells the author of the script what to return."""


def encode(result: Any) -> bytes:
    """Raises ResultError. A str becomes a JSON string."""
    try:
        return json.dumps(result).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultError(explain(result, error)) from error


def check_batch(found: Any, count: int) -> Sequence[Any]:
    """The results of a batch of `count` requests; raises ResultError if they are not one for each."""
    if not isinstance(found, (list, tuple)):
        kind = type(found)
        advice = " Return its .tolist() instead." if hasattr(found, "tolist") else ""
        raise ResultError(
            f"run() is batched, so it must return a list, but it returned a {kind.__qualname__}.{advice}"
        )
    if len(found) != count:
        raise ResultError(
            f"run() was given {count} requests and returned {len(found)} results. A batched run() must "
            "return one for each, in the same order; one that cannot be scored may have an exception."
        )
    return found


def explain(result: Any, error: Exception) -> str:
    for place, value in _offenders(result, "result", 0):
        kind = type(value)
        name = (
            kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        )
        return f"run() returned what JSON cannot hold: {place} is of type {name}. {_advice(value)}"
    return f"run() returned what JSON cannot hold: {error}. Return str, numbers, bool, None, lists and dicts."


def _offenders(value: Any, place: str, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (str, int, float, bool, type(None))) or depth > _DEPTH:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, (str, int, float, bool, type(None))):
                yield from _offenders(item, f"{place}[{key!r}]", depth + 1)
            else:
                yield f"a key of {place}", key
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _offenders(item, f"{place}[{index}]", depth + 1)
    else:
        yield place, value


def _advice(value: Any) -> str:
    """Known by what they can do, because their packages must not be imported here."""
    if hasattr(value, "tolist"):
        return "Return its .tolist() instead."
    if hasattr(value, "to_dict"):
        return 'Return its .to_dict(orient="records") instead.'
    if hasattr(value, "isoformat"):
        return "Return its .isoformat() instead."
    if isinstance(value, (bytes, bytearray)):
        return "Return its .decode() instead."
    if hasattr(value, "__iter__"):
        return "Return list(...) of it instead."
    return "Return str, numbers, bool, None, lists and dicts instead."
