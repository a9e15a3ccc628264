# ruff: noqa: T100  a debugger is what this is
"""Stand-in for ptvsd, the debugger that came before debugpy, over debugpy."""

from __future__ import annotations

from typing import Any

try:
    import debugpy
except ImportError as error:
    raise ImportError(
        "ptvsd is no longer maintained; its successor debugpy stands in for it here, but is not installed. "
        "Add debugpy to the environment's pip packages."
    ) from error

__all__ = ["break_into_debugger", "enable_attach", "is_attached", "wait_for_attach"]


def enable_attach(address: tuple[str, int] = ("127.0.0.1", 5678), *_: Any, **__: Any) -> None:
    """Listen for a debugger. The further arguments (redirect_output, log_dir) are ignored."""
    debugpy.listen(address)


def wait_for_attach(timeout: float | None = None) -> None:  # noqa: ARG001  debugpy waits without a bound
    debugpy.wait_for_client()


def break_into_debugger() -> None:
    debugpy.breakpoint()


def is_attached() -> bool:
    return bool(debugpy.is_client_connected())
