"""What kind of data a request carries, in words, without its content: for the log of a failure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

_PARSED_CHARACTERS = 1_000_000
_MEMBERS = 8
_LONGEST_NAME = 40
_DEPTH = 4
_LOOKED_AT = 1000
"""Items of a list; the rest is taken to be of the same kind."""
_KINDS = {
    bool: ("a boolean", "booleans"),
    float: ("a number", "numbers"),
    int: ("a number", "numbers"),
    str: ("a string", "strings"),
    bytes: ("bytes", "bytes"),
    type(None): ("null", "nulls"),
}


def describe(data: Any) -> str:
    """ "an object with data: a list of 2 lists of 3 numbers". Bounded, whatever the data."""
    if not isinstance(data, str):
        return _of(data, 0)
    if not data:
        return "an empty body"
    if len(data) > _PARSED_CHARACTERS:
        return f"a body of {len(data):,} characters"
    try:
        return _of(json.loads(data), 0)
    except (ValueError, RecursionError):
        return f"a body of {len(data):,} characters that is not JSON"


def _of(value: Any, depth: int) -> str:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"a {type(value).__name__} of shape {shape}"
    if isinstance(value, dict):
        return f"an object {_members(value, depth)}" if value else "an empty object"
    if isinstance(value, list | tuple):
        return f"a list of {_items(value, depth)}" if value else "an empty list"
    return _kind(value)[0]


def _members(value: dict[Any, Any], depth: int) -> str:
    if depth >= _DEPTH:
        return f"of {len(value)} members"
    shown = [
        f"{str(name)[:_LONGEST_NAME]}: {_of(item, depth + 1)}"
        for name, item in islice(value.items(), _MEMBERS)
    ]
    more = f", and {len(value) - _MEMBERS} more" if len(value) > _MEMBERS else ""
    return f"with {', '.join(shown)}{more}"


def _items(value: Sequence[Any], depth: int) -> str:
    """ "2 lists of 3 numbers", "3 items of several kinds"."""
    count = len(value)
    looked_at = value[:_LOOKED_AT]
    if depth < _DEPTH and all(isinstance(item, list | tuple) for item in looked_at):
        inner = _one(_items(item, depth + 1) if item else "nothing" for item in looked_at)
        return f"{count} list{'s' * (count != 1)} of {inner or 'several lengths or kinds'}"
    kind = _one(_kind(item)[count != 1] for item in looked_at)
    if kind is None:
        return f"{count} items of several kinds"
    return f"{count} {kind.removeprefix('a ').removeprefix('an ')}"


def _one(found: Iterable[str]) -> str | None:
    """What all are, if they are the same."""
    different = set(found)
    return different.pop() if len(different) == 1 else None


def _kind(value: Any) -> tuple[str, str]:
    if isinstance(value, dict):
        return "an object", "objects"
    if isinstance(value, list | tuple):
        return "a list", "lists"
    name = type(value).__name__
    return _KINDS.get(type(value), (f"a {name}", f"{name} objects"))
