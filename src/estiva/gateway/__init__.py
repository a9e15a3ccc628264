"""The gateway: one HAProxy per workspace in front of the private addresses of its services' replicas.

`Gateway.apply` makes what runs equal to the routes it is given, by the difference. Nothing is remembered:
HAProxy tells on its socket what it runs, and a file what was last seen to be in force.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Sequence, Set
from pathlib import Path

from estiva.errors import GatewayException
from estiva.gateway import access, changes, configuration, measuring
from estiva.gateway.keys import Keys
from estiva.gateway.process import Process
from estiva.gateway.runtime import Key, NotRunning
from estiva.gateway.traffic import summarize
from estiva.records import Listener, Load, Measures, Route, Traffic

__all__ = ["Gateway"]

# One thread forwards more than several replicas can compute; cores belong to them.
_THREADS = max(1, min(4, (os.cpu_count() or 1) // 4))


class Gateway:
    """The gateway of one workspace. Its methods may be called from several threads."""

    def __init__(self, folder: Path, runtime: Path) -> None:
        """`folder` holds the configuration and the log, `runtime` (a short path) the socket."""
        digest = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:12]
        self._process = Process(folder.absolute(), runtime.absolute() / f"gw-{digest}.sock")
        self._keys = Keys(folder.absolute(), self._process.runtime)
        self._lock = threading.Lock()

    def apply(self, routes: Sequence[Route], shared: Listener | None = None) -> None:
        """Makes what runs equal to `routes`; no routes, no process. Idempotent, and cheap when all is well.

        `shared` is the workspace's port, for the routes that are on it. Members and keys come and go in the
        running process; anything else takes a reload, which loses no request.
        Raises GatewayException (codes "PortInUse", "PortNotAllowed", "AddressNotAvailable", "InvalidRoute",
        "HAProxyMissing", "GatewayFailed", ...); what served before then goes on serving.
        """
        text = configuration.build(routes, shared, _THREADS)
        with self._lock:
            try:
                self._apply(text if routes else "", access.entries(routes))
            except (OSError, subprocess.SubprocessError) as error:
                raise GatewayException(
                    f"The gateway could not be changed: {error}.", code="GatewayFailed", detail=repr(error)
                ) from error

    def quiet(self, pool: str, member: str) -> bool:
        """Whether nothing is or will be sent to that member: its replica may be stopped.

        It is gone from the routes, has no request, and is gone from each old worker too that still ends
        what it began before a reload. False when that cannot be told. Does not wait for anything but
        HAProxy's answers.
        """
        runtime = self._process.runtime
        key = Key(pool, member)
        try:
            servers = [runtime.servers(worker).get(key) for worker in runtime.workers().all]
        except NotRunning:
            return True
        except GatewayException:
            return False
        return all(server is None or not (server.serving or server.requests) for server in servers)

    def load(self) -> tuple[Load, ...]:
        """What each version of each route has to do now. Cheap; empty if nothing runs.

        Raises GatewayException if HAProxy does not answer.
        """
        try:
            worker = self._process.worker()
            return self._process.runtime.load(worker) if worker is not None else ()
        except NotRunning:
            return ()

    def traffic(self, pool: str) -> Traffic:
        """What the access log says of a pool's last minutes; nothing if there is no log."""
        return summarize(self._process.access_log(), pool, time.time())

    def measures(self, kind: str, name: str) -> dict[str, Measures]:
        """What became of the newest requests of a route, by version; also when nothing runs."""
        return measuring.measure(self._process.access_log(), kind, name)

    def alive(self) -> bool:
        """Whether HAProxy answers and has a worker that serves."""
        try:
            return self._process.worker() is not None
        except GatewayException:
            return False

    def stop(self) -> None:
        """Ends HAProxy; running requests have a second to finish. Idempotent."""
        with self._lock:
            self._process.stop()

    def _apply(self, text: str, keys: Set[str]) -> None:
        worker = self._process.worker()
        if not text:
            self._process.stop()
            return
        self._process.bound_logs()
        self._keys.write(keys)
        if worker is None:
            self._process.start(text)
            return
        if not (self._has_shape(worker, text) and self._change_servers(worker, text)):
            self._process.reload(text)
        self._keys.tell(keys)

    def _has_shape(self, worker: int, text: str) -> bool:
        return self._process.runtime.description(worker) == configuration.shape(text)

    def _change_servers(self, worker: int, text: str) -> bool:
        """Adds and drains servers of the running worker; False if that is not enough."""
        runtime = self._process.runtime
        served = self._process.served()
        wanted = configuration.servers(text)
        plan = changes.plan(wanted, configuration.servers(served), runtime.servers(worker))
        if plan is None:
            return False
        for command in plan.commands:
            if not changes.succeeded(command, runtime.ask(worker, command)):
                return False
        for command in plan.cleanup:
            runtime.ask(worker, command)
        if text != served:
            self._process.record(text)
        return True
