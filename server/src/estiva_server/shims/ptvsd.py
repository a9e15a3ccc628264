# ruff: noqa: T100  a debugger is what this is
"""Stand-in for ptvsd, the debugger that came before debugpy, over debugpy."""

from __future__ import annotations

import time
from typing import Any

try:
    import debugpy
except ImportError as error:
    raise ImportError(
        "ptvsd is no longer maintained; its successor debugpy stands in for it here, but is not installed. "
        "Add debugpy to the environment's pip packages."
    ) from error

__all__ = [
    "break_into_debugger",
    "debug_this_thread",
    "enable_attach",
    "is_attached",
    "wait_for_attach",
]

_POLL_SECONDS = 0.05

_open = False


def enable_attach(address: tuple[str, int] = ("127.0.0.1", 5678), *_: Any, **__: Any) -> None:
    """Listen for a debugger, once. The further arguments (redirect_output, log_dir) are its own to say."""
    global _open
    if not _open:
        debugpy.listen(address)
        _open = True


def wait_for_attach(timeout: float | None = None) -> None:
    """Returns when a debugger has attached, or after so many seconds."""
    if timeout is None:
        debugpy.wait_for_client()
        return
    deadline = time.monotonic() + timeout
    while not debugpy.is_client_connected() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def break_into_debugger() -> None:
    debugpy.breakpoint()


def debug_this_thread() -> None:
    debugpy.debug_this_thread()


def is_attached() -> bool:
    return bool(debugpy.is_client_connected())
