"""Whether the network may be asked: for a control server by its environment, or for one piece of work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

OFFLINE_VARIABLE = "ESTIVA_OFFLINE"
_NO = ("", "0", "false", "no")

_wanted: ContextVar[bool] = ContextVar("offline", default=False)


def is_offline() -> bool:
    """In the thread that asks."""
    return _wanted.get() or os.environ.get(OFFLINE_VARIABLE, "").lower() not in _NO


@contextmanager
def offline(wanted: bool) -> Iterator[None]:
    """Keeps what this thread does meanwhile from the network, if `wanted`."""
    token = _wanted.set(wanted)
    try:
        yield
    finally:
        _wanted.reset(token)
