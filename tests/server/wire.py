"""A connection on which tests send what no HTTP client would."""

from __future__ import annotations

import http.client
import socket
import struct
from types import TracebackType

from tests.server.serving import SECONDS, Answer, ScoringServer

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends a reset."""


class Wire:
    def __init__(self, server: ScoringServer, seconds: float = SECONDS) -> None:
        """`seconds` bound each wait."""
        self._socket = socket.create_connection(("127.0.0.1", server.port), seconds)
        self._reader = self._socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """All of it, or as much as the server takes before it hangs up."""
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def end(self) -> None:
        """Nothing more will be sent; what comes can still be read."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:  # the server has hung up already
            return

    def reset(self) -> None:
        """Leave as a process does that is killed."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._reader.close()
        self._socket.close()

    def read(self, size: int) -> bytes:
        return self._reader.read(size)

    def answer(self) -> Answer | None:
        """The next one; None if the server hung up instead."""
        try:
            first = self._reader.readline()
            if not first:
                return None
            status = int(first.split()[1])
            headers = {name.lower(): value for name, value in http.client.parse_headers(self._reader).items()}
            return Answer(status, headers, self._reader.read(int(headers.get("content-length", 0))))
        except ConnectionResetError:
            return None

    def answers(self) -> list[Answer]:
        """All that come until the server hangs up."""
        found = []
        while (one := self.answer()) is not None:
            found.append(one)
        return found
