"""A real HAProxy, small real HTTP servers on Unix sockets behind it, and clients that count."""

from __future__ import annotations

import contextlib
import http.server
import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from estiva.gateway import Gateway, binary, ports
from estiva.home import Home
from estiva.records import Listener, Member, Route, Version

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0
VERSION = "v1"


class Backend:
    """Answers with its name at the end of a Unix socket.

    `/hold` is answered when `release` is set, and says so by `held` when it begins to wait; `/die` closes
    the connection without an answer; anything else is answered at once. `requests` are those that came.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.requests: list[dict[str, str]] = []
        self.held = threading.Semaphore(0)
        self.release = threading.Event()
        self._server: _Server | None = None

    @property
    def member(self) -> Member:
        return Member(name=self.name, address=f"unix:{self.path}")

    def start(self) -> Backend:
        self.listen()
        self.serve()
        return self

    def listen(self) -> None:
        """From here on connections wait, as at a supervisor that has no worker yet."""
        self.path.unlink(missing_ok=True)
        self._server = _Server(str(self.path), self)

    def serve(self) -> None:
        assert self._server
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self.release.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, path: str, backend: Backend) -> None:
        self.backend = backend
        super().__init__(path, _Handler)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        backend = self.server.backend
        if self.path == "/":  # the health check
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        backend.requests.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
        if self.path == "/die":
            self.close_connection = True
            return
        if self.path == "/hold":
            backend.held.release()
            backend.release.wait(PATIENCE)
        body = backend.name.encode()
        # The client may have left, and the gateway given up: that is what some tests are about.
        with contextlib.suppress(BrokenPipeError):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Tests read what came from `requests`."""


class MakeBackend(Protocol):
    def __call__(self, name: str) -> Backend: ...


class MakeRoute(Protocol):
    def __call__(self, *backends: Backend, service: str = ..., **settings: object) -> Route: ...


@pytest.fixture
def make_backend(home: Home) -> Iterator[MakeBackend]:
    made: list[Backend] = []

    def make(name: str) -> Backend:
        made.append(Backend(name, home.runtime / f"{len(made)}.sock").start())
        return made[-1]

    yield make
    for backend in made:
        backend.stop()


@pytest.fixture
def make_route() -> MakeRoute:
    """A route of a service, always on the same port of its own."""
    chosen: dict[str, int] = {}

    def make(*backends: Backend, service: str = "sum", **settings: object) -> Route:
        port = chosen.setdefault(service, ports.free_port(LOOPBACK))
        values = {"concurrency": 8, "wait_ms": 500, "timeout_ms": 5_000, "body_limit": 1_000_000}
        on_route = {name: settings.pop(name) for name in set(settings) & set(Route.model_fields)}
        members = tuple(backend.member for backend in backends)
        host = str(settings.pop("host", LOOPBACK))
        version = Version.model_validate({"name": VERSION, "members": members, **values, **settings})
        fixed = {"name": service, "listener": Listener(host=host, port=port), "versions": (version,)}
        return Route.model_validate(fixed | on_route)

    return make


@pytest.fixture
def gateway(home: Home) -> Iterator[Gateway]:
    if binary.find() is None:
        pytest.skip(binary.explain())
    gateway = Gateway(home.gateways / "default", home.runtime)
    yield gateway
    gateway.stop()


def listener(route: Route) -> tuple[str, int]:
    assert route.listener
    return route.listener.host, route.listener.port


def url(route: Route, path: str = "/score") -> str:
    host, port = listener(route)
    return f"http://{host}:{port}{path}"


def pool_of(service: str = "sum") -> str:
    return f"service:{service}:{VERSION}"


def post(route: Route, path: str = "/score", **options: object) -> httpx.Response:
    """On a connection of its own."""
    return httpx.post(url(route, path), timeout=PATIENCE, **options)  # type: ignore[arg-type]


class Load:
    """Clients that send request after request until told to stop; half of them keep their connection.

    `answers` counts bodies of 200s and "status: body" of anything else, so that nothing is overlooked;
    a request without an answer is counted under the name of its exception.
    """

    def __init__(self, route: Route, clients: int = 6) -> None:
        self.sent = 0
        self.answers: Counter[str] = Counter()
        self._route = route
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._progress = threading.Condition(self._lock)
        self._threads = [threading.Thread(target=self._run, args=(n % 2 == 0,)) for n in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def wait_for(self, answers: int, body: str | None = None) -> None:
        """Until so many more answers came, of anybody or with that body."""
        with self._progress:
            target = self._count(body) + answers
            assert self._progress.wait_for(lambda: self._count(body) >= target, PATIENCE), self.answers

    def _count(self, body: str | None) -> int:
        return self.answers.total() if body is None else self.answers[body]

    def _run(self, keep_alive: bool) -> None:
        limits = httpx.Limits(max_keepalive_connections=None if keep_alive else 0)
        with httpx.Client(limits=limits, timeout=PATIENCE) as client:
            while not self._stop.is_set():
                with self._lock:
                    self.sent += 1
                answer = _ask(lambda: client.post(url(self._route), content=b"{}"))
                with self._progress:
                    self.answers[answer] += 1
                    self._progress.notify_all()


def _ask(send: Callable[[], httpx.Response]) -> str:
    try:
        response = send()
    except httpx.HTTPError as error:
        return type(error).__name__
    return response.text if response.status_code == 200 else f"{response.status_code}: {response.text}"
