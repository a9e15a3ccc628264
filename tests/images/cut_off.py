"""An engine whose connections break off when the test says so: a socket in front of the real one."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class EngineThatBreaksOff:
    def __init__(self, path: Path, real: str) -> None:
        self.url = f"unix://{path}"
        self._real = real
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._real)
                self._open += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=pair, daemon=True).start()

    def break_off(self) -> None:
        for end in (self._listener, *self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.break_off()
        for end in (self._listener, *self._open):
            end.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def engine_that_breaks_off(folder: Path) -> Iterator[EngineThatBreaksOff]:
    real = os.environ["DOCKER_HOST"].removeprefix("unix://")
    engine = EngineThatBreaksOff(folder / "docker.sock", real)
    try:
        yield engine
    finally:
        engine.close()
