"""granian's native WSGI worker on a bound socket. The only module that touches granian's inside.

granian's own command line starts processes, parses configuration and imports applications its way; what is
used here is the part below that: HTTP in Rust threads, a pool of Python threads, a graceful stop. It is not
granian's public interface, hence the narrow version range in pyproject.toml.
"""

from __future__ import annotations

import asyncio
import importlib
import resource
import threading
from collections.abc import Callable
from typing import Any

from estiva_server.exchange import Answer, Response
from estiva_server.inputs import Scope

CONNECTIONS = 8192
"""Connections that are served at a time; further ones wait in the socket's queue."""
READERS = 8
"""Requests whose bodies may trickle in while others are served: each holds a thread until it is there."""
_FILES = 512
"""Open files that are left to the script, beside the connections."""
_IDLE_SECONDS = 30
_IO_THREADS = 1
_CLOSE = ("connection", "close")


class Server:
    """Serves an application until it is stopped."""

    def __init__(
        self, application: Callable[[Scope, Answer], None], descriptor: int, unix: bool, concurrency: int
    ) -> None:
        """Takes over the listening socket's descriptor. `concurrency` is how many may be in run()."""
        self.crowded: Callable[[], bool] | None = None
        """Asked at each answer whether its client should connect anew, to another worker."""
        self._application = application
        self._ended = threading.Event()
        self._native: Any = importlib.import_module("granian._granian")
        self._signal = self._native.WorkerSignal()
        self._signal.add_cb(self._ended.set)
        _allow_files(CONNECTIONS + _FILES)
        holder = self._native.SocketHolder(descriptor, unix, CONNECTIONS)
        # One more than can be in run() or reading, so that the health check is answered meanwhile. They are
        # started when requests wait, so that there are few as a rule.
        self._worker = self._build(holder, concurrency + READERS + 1)
        self._serve = self._worker.serve_mtr_uds if unix else self._worker.serve_mtr

    def start(self) -> None:
        """Begin to accept; returns at once."""
        futures: Any = importlib.import_module("granian._futures")
        loop = asyncio.new_event_loop()
        schedule = futures._new_cbscheduler  # noqa: SLF001  see above
        self._serve(schedule(loop, self._handle, impl_asyncio=True), loop, self._signal)

    def stop(self) -> None:
        """Stop accepting; what was accepted is answered. Idempotent, callable from any thread."""
        self._signal.set()

    def wait(self) -> None:
        """Until everything is answered after `stop`."""
        self._ended.wait()

    def _handle(self, protocol: Any, scope: dict[str, Any]) -> None:
        def answer(response: Response) -> None:
            status, headers, body = response
            if self.crowded is not None and self.crowded():
                headers = [*headers, _CLOSE]
            if isinstance(body, bytes):
                protocol.response_bytes(status, headers, body)
            else:
                protocol.response_iter(status, headers, body)

        self._application(scope, answer)

    def _build(self, holder: Any, threads: int) -> Any:
        http: Any = importlib.import_module("granian.http")
        return self._native.WSGIWorker(
            1,
            (None, holder),
            None,
            threads=_IO_THREADS,
            py_threads=threads,
            py_threads_idle_timeout=_IDLE_SECONDS,
            backpressure=CONNECTIONS,
            http_mode="1",
            http1_opts=http.HTTP1Settings(),
            ssl_crl=[],
            metrics=(None, self._native.MetricsAggregator(1)),
        )


def _allow_files(count: int) -> None:
    """As many open files as that, or as the machine lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
