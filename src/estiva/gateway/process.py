"""The HAProxy process of one gateway: started, reloaded, stopped. Everything about it is asked of itself."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from estiva.errors import GatewayException
from estiva.gateway import binary, configuration, mirroring, ports
from estiva.gateway.runtime import NotRunning, Runtime

_START_SECONDS = 10.0
_RELOAD_SECONDS = 15.0
_CHECK_SECONDS = 10.0
_WAYS_TO_END = ((signal.SIGUSR1, 1.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))
"""To finish what runs, to end now, and by force; each with the seconds it may take."""
_PORT_SECONDS = 0.5
_POLL_SECONDS = 0.005
_LOG_LIMIT_BYTES = 1024 * 1024
_ACCESS_LOG_READ_BYTES = 4 * 1024 * 1024
_ACCESS_LOG_LIMIT_BYTES = 32 * 1024 * 1024
_SOCKET_PATH = re.compile(r"/[\w./@+=:~ -]*")
_SOCKET_BYTES = 96
"""HAProxy binds beside the path first, with a suffix, so it takes fewer than the system's 104 or 108."""


class Process:
    """A master process with its workers, known by its socket and by its configuration file.

    It outlives the control server: another `Process` on the same folder and socket has the same HAProxy.
    No method may be called while another thread is in `start`, `reload` or `stop`.
    """

    def __init__(self, folder: Path, socket: Path) -> None:
        self.runtime = Runtime(socket)
        self._socket = socket
        self._folder = folder
        self._configuration = folder / "haproxy.cfg"
        self._served = folder / "served.cfg"
        self._log = folder / "haproxy.log"
        self._access_log = folder / "access.log"

    def worker(self) -> int | None:
        """Process id of the worker in service, None if HAProxy does not run. Raises GatewayException."""
        try:
            return self.runtime.workers().current
        except NotRunning:
            return None

    def served(self) -> str:
        """The configuration that was last known to be in force, empty if there was none."""
        return _read(self._served)

    def record(self, text: str) -> None:
        """Says that `text` is in force. To be called when it is, so that what was cut short is noticed."""
        candidate = self._served.with_suffix(".new")
        candidate.write_text(text)
        candidate.replace(self._served)

    def start(self, text: str) -> None:
        """Begins to serve `text`; returns when its ports are open. Raises GatewayException."""
        program = _program()
        self._check_socket()
        self.stop()
        for host, port in sorted(configuration.listeners(text)):
            _wait_for_port(host, port)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write(text)
        with self._log.open("ab") as log, self._access_log.open("ab") as access_log:
            offset = log.tell()
            child = subprocess.Popen(
                [program, "-W", "-S", f"unix@{self._socket},mode,600", "-f", str(self._configuration)],
                stdin=subprocess.DEVNULL,
                stdout=access_log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )
        # Whoever started a process must take its exit status, or its number stays taken.
        threading.Thread(target=child.wait, name=f"reap {child.pid}", daemon=True).start()
        if not _wait(lambda: child.poll() is not None or self._serves(text), _START_SECONDS):
            child.kill()
        if not self._serves(text):
            raise _failure(self._messages(offset))
        self.record(text)

    def reload(self, text: str) -> None:
        """Replaces the worker by one that serves `text`; open connections lose nothing.

        Raises GatewayException; the worker that served then goes on serving.
        """
        self._check_new_ports(text)
        replaced = self.worker()
        self._write(text)
        self._validate()
        offset = self._log.stat().st_size if self._log.exists() else 0
        answer = self.runtime.send("reload", timeout=_RELOAD_SECONDS)
        # Releases before 2.7 answer before they have loaded anything, and do not say how it went.
        if "Success=0" in answer or not _wait(lambda: self._serves(text, replaced), _RELOAD_SECONDS):
            raise _failure(answer or self._messages(offset))
        self.record(text)

    def stop(self) -> None:
        """Running requests have a second to end. Idempotent; bounded."""
        try:
            master = psutil.Process(self.runtime.workers().master)
        except (NotRunning, psutil.NoSuchProcess):
            return
        for number, seconds in _WAYS_TO_END:
            with contextlib.suppress(psutil.NoSuchProcess):
                master.send_signal(number)
            with contextlib.suppress(psutil.TimeoutExpired):
                master.wait(seconds)
                break
        self._socket.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        """What HAProxy reads when it starts, and when it reloads."""
        shutil.copyfile(mirroring.LUA, self._folder / mirroring.LUA.name)
        self._configuration.write_text(text)

    def _serves(self, text: str, replaced: int | None = None) -> bool:
        """Whether the worker in service, which is not the one replaced, runs a text of that shape."""
        try:
            worker = self.worker()
            if worker is None or worker == replaced:
                return False
            return self.runtime.description(worker) == configuration.shape(text)
        except GatewayException:
            return False

    def _check_new_ports(self, text: str) -> None:
        """HAProxy would find out too, but takes its open ports out of service meanwhile.

        Its own are in what it serves, and in what it was last told if nobody lived to see that succeed.
        """
        told = configuration.listeners(self.served()) | configuration.listeners(_read(self._configuration))
        own = {port for _, port in told}
        for host, port in sorted(configuration.listeners(text)):
            if port not in own:
                ports.check(host, port)

    def _validate(self) -> None:
        done = subprocess.run(
            [_program(), "-c", "-f", str(self._configuration)],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=_CHECK_SECONDS,
            check=False,
        )
        if done.returncode:
            raise _failure(done.stderr)

    def _check_socket(self) -> None:
        self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = str(self._socket)
        if not _SOCKET_PATH.fullmatch(path) or len(os.fsencode(path)) > _SOCKET_BYTES:
            raise GatewayException(
                f"The gateway cannot listen at {path}: use a folder with a shorter path, of letters, digits "
                "and ._-. Set ESTIVA_HOME to it.",
                code="InvalidSocketPath",
            )

    def bound_logs(self) -> None:
        """HAProxy appends, so a log may be cut while it runs: lines of the moment in between are lost."""
        for log, limit in ((self._log, _LOG_LIMIT_BYTES), (self._access_log, _ACCESS_LOG_LIMIT_BYTES)):
            if log.exists() and log.stat().st_size > limit:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)

    def access_log(self) -> list[str]:
        """The last lines, of at most 4 MB."""
        try:
            with self._access_log.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - _ACCESS_LOG_READ_BYTES))
                return file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _messages(self, offset: int) -> str:
        return self._log.read_bytes()[offset:].decode(errors="replace")


def _program() -> str:
    path = binary.find()
    if path is None:
        raise GatewayException(binary.explain(), code="HAProxyMissing")
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _wait_for_port(host: str, port: int) -> None:
    """The workers of an HAProxy that was killed take a moment to follow it."""
    _wait(lambda: ports.holder(host, port) is None, _PORT_SECONDS)
    ports.check(host, port)


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _failure(messages: str) -> GatewayException:
    """From what HAProxy says: a port that somebody took in the meantime, or anything else."""
    taken = re.search(r"cannot bind socket \(Address already in use\) for \[([^\]]*):(\d+)\]", messages)
    if taken:
        found = ports.holder(taken[1], int(taken[2])) or ports.UNKNOWN
        return GatewayException(
            f"Port {taken[2]} of {taken[1]} is in use by {found}. Stop it, or choose another port.",
            code="PortInUse",
            detail=messages,
        )
    alert = re.search(r"\[ALERT\][^:]*: (.*)", messages)
    reason = alert[1] if alert else "it said nothing"
    return GatewayException(f"HAProxy does not accept its configuration: {reason}", detail=messages)
