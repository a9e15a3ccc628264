# ruff: noqa: T100  a debugger is what this is
"""The debugger in a worker: debugpy, to which an editor attaches.

The server starts it before it loads the script, when it is told a port; or the script does, by itself.
Either way requests take as long as somebody looks at them.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from estiva_server import contract
from estiva_server.script import Headers, StartError
from estiva_server.settings import Settings

_FREE_SECONDS = 40.0
"""A worker that is replaced drains, and has the port as long as it lives."""
_POLL_SECONDS = 0.02

Run = Callable[[Any, Headers], Any]


def open_port(settings: Settings) -> None:
    """Let a debugger attach, and wait for it if that was asked for. Raises StartError."""
    if settings.debugpy is not None:
        sys.path.append(str(settings.debugpy))
    # It would warn, at each start, of what of Python's own library it cannot stop in.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    try:
        import debugpy
    except ImportError as error:
        raise StartError(
            f"{contract.DEBUG_PORT_VARIABLE} is set, but debugpy is not installed. Add debugpy to the "
            "environment's pip packages."
        ) from error
    host, port = settings.host, settings.debug_port
    _wait_for_port(host, port)
    debugpy.listen((host, port))
    if settings.debug_wait:
        print(f"estiva-server: {contract.WAITS_FOR_DEBUGGER} at {host}:{port}", flush=True)
        debugpy.wait_for_client()
    else:
        print(f"estiva-server: a debugger can attach at {host}:{port}")


def _wait_for_port(host: str, port: int) -> None:
    deadline = time.monotonic() + _FREE_SECONDS
    while (error := _why_not_free(host, port)) is not None:
        if time.monotonic() > deadline:
            raise StartError(
                f"The debugger's port {port} cannot be opened on {host}: {error.strerror}. Choose another "
                f"({contract.DEBUG_PORT_VARIABLE}), or end the program that has it."
            ) from error
        time.sleep(_POLL_SECONDS)


def _why_not_free(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def is_present() -> bool:
    """Whether this process has a debugger, whoever started it."""
    pydevd: Any = sys.modules.get("pydevd")
    return pydevd is not None and pydevd.get_global_debugger() is not None


def followed(run: Run) -> Run:
    """`run`, in which breakpoints hold also in threads that Python did not start."""
    import debugpy

    def run_followed(data: Any, headers: Headers) -> Any:
        debugpy.debug_this_thread()
        return run(data, headers)

    return run_followed
