"""An HTTP server that answers as it was told and keeps what it was asked: over TCP, or on a Unix socket."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks_off: bool = False
    """Promises more than the body and closes the connection."""


def of_json(content: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    """As it was written in the request, with its query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Script:
    """What is answered: to each method and path its answers in turn, the last of them for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._answers: dict[tuple[str, str], list[Answer]] = {}

    def on(self, method: str, path: str, *answers: Answer) -> None:
        self._answers[method, path] = list(answers)

    def answer(self, asked: Asked) -> Answer:
        answers = self._answers.get((asked.method, unquote(asked.path.partition("?")[0])))
        if answers is None:
            return of_json({"message": f"no answer to {asked.method} {asked.path}"}, 404)
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def requests(self, method: str, path: str) -> list[Asked]:
        return [
            asked for asked in self.asked if (asked.method, asked.path.partition("?")[0]) == (method, path)
        ]


class _Handler(BaseHTTPRequestHandler):
    script: Script

    def _respond(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, self.rfile.read(length))
        self.script.asked.append(asked)
        answer = self.script.answer(asked)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + answer.breaks_off))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond  # noqa: N815  names that the base class looks for

    def address_string(self) -> str:
        return "a client"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextmanager
def answering(script: Script, socket: Path | None = None, port: int = 0) -> Iterator[str]:
    """Serves until the end of the block, on the socket, or the port (0: a free one); yields the URL."""
    handler = type("Handler", (_Handler,), {"script": script})
    server: socketserver.BaseServer
    if socket:
        server, url = _UnixServer(str(socket), handler), f"unix:{socket}"
    else:
        server = tcp = ThreadingHTTPServer(("127.0.0.1", port), handler)
        url = f"http://127.0.0.1:{tcp.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,))
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        if socket:
            socket.unlink(missing_ok=True)
