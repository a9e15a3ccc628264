"""Starts a server in a folder of its own, waits until it scores, weighs it, and takes it away whole."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.serving.peers import EXPECTED, Server

LONGEST_WAIT = 120.0
_PAUSE = 0.005
_SECONDS_TO_END = 15.0


class ServingError(Exception):
    """The server did not come up, or answered something else than it should; with the end of its log."""


@dataclass
class Started:
    """A server that runs."""

    process: psutil.Popen
    port: int
    folder: Path
    seconds: float = 0.0
    """From its start to the first right answer."""

    def tree(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return [self.process, *self.process.children(recursive=True)]
        return []

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@contextmanager
def start(
    server: Server, programs: Path, variables: Mapping[str, str] | None = None, flags: tuple[str, ...] = ()
) -> Iterator[Started]:
    """A process; nothing is known of whether it serves."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        _write(folder, server, port)
        command = [part.replace("{port}", str(port)) for part in (*server.command, *flags)]
        with (folder / "log").open("wb") as log:
            process = psutil.Popen(
                [str(programs / command[0]), *command[1:]],
                cwd=folder,
                env={**_environment(programs), **server.variables, **(variables or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = Started(process, port, folder)
        try:
            yield started
        finally:
            end(started)


@contextmanager
def serving(server: Server, programs: Path, variables: Mapping[str, str] | None = None) -> Iterator[Started]:
    """A server that has given its first right answer. Raises ServingError."""
    began = time.perf_counter()
    with start(server, programs, variables) as started:
        while not _scores(server, started):
            if time.perf_counter() - began > LONGEST_WAIT or started.process.poll() is not None:
                raise ServingError(f"{server.name} did not score; the end of its log:\n{started.log[-2000:]}")
            time.sleep(_PAUSE)
        started.seconds = time.perf_counter() - began
        yield started


def end(started: Started) -> None:
    """Its whole tree, first asked, then killed."""
    processes = started.tree()
    started.process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=_SECONDS_TO_END)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=_SECONDS_TO_END)


def ask(port: int, path: str, body: str | bytes, seconds: float = 60.0) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("POST", path, body, {"content-type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _scores(server: Server, started: Started) -> bool:
    try:
        status, answer = ask(started.port, server.path, server.body)
    except (OSError, http.client.HTTPException):
        return False
    if status != http.HTTPStatus.OK:
        return False
    if server.result(answer) != EXPECTED:
        raise ServingError(f"{server.name} answered {answer[:200]!r} instead of {EXPECTED}")
    return True


def _write(folder: Path, server: Server, port: int) -> None:
    for name, text in server.files.items():
        for place, number in {"port": port, "grpc_port": free_port(), "metrics_port": free_port()}.items():
            text = text.replace(f"{{{place}}}", str(number))
        (folder / name).write_text(text)


def _environment(programs: Path) -> dict[str, str]:
    """This process's own, with the environment's programs first."""
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
