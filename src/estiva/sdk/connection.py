"""Reaches the control server of a home, and starts it when it does not run.

The one place where a foreign error of the way there (httpx, the operating system) becomes one of ours.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from estiva import __version__
from estiva.errors import ControlServerException, EstivaError, UserErrorException, named
from estiva.home import HOME_VARIABLE, Home
from estiva.messages import Problem, Progress, ServerStatus

START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 60.0
_POLL_SECONDS = 0.02
_ANSWER_TIMEOUT_SECONDS = 120.0
# A deployment is accepted when the models and scripts that came as paths have been copied.
_CHANGE_TIMEOUT_SECONDS = 3600.0

Params = dict[str, Any]


class Connection:
    """Requests to one control server. Safe to use from several threads."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._checked = False
        self._guard = threading.Lock()
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(home.control_socket)),
            base_url="http://estiva",
            timeout=httpx.Timeout(_ANSWER_TIMEOUT_SECONDS, connect=5),
        )

    def request(self, method: str, path: str, *, body: Any = None, params: Params | None = None) -> Any:
        """The JSON of the answer (None for an empty one); raises the error that the server answered with."""
        response = self._send(method, path, body, params)
        if response.is_error:
            raise problem_of(response)
        return response.json() if response.content else None

    def text(self, path: str, params: Params | None = None) -> str:
        return self.content(path, params).decode(errors="replace")

    def content(self, path: str, params: Params | None = None) -> bytes:
        response = self._send("GET", path, None, params)
        if response.is_error:
            raise problem_of(response)
        return response.content

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Params | None = None,
        silence: float | None = None,
    ) -> Iterator[httpx.Response]:
        """An answer read as it comes, with at most `silence` seconds between its parts (None: any time)."""
        self.ensure()
        with (
            translated(),
            self._http.stream(
                method, path, json=body, params=params, timeout=httpx.Timeout(silence, connect=5)
            ) as response,
        ):
            if response.is_error:
                response.read()
                raise problem_of(response)
            yield response

    def progress(self, path: str, *, body: Any, show: Callable[[Progress], None]) -> dict[str, Any]:
        """Posts to a streamed operation, shows its progress, returns its result or raises its problem."""
        with self.stream("POST", path, body=body) as response:
            for line in response.iter_lines():
                step = Progress.model_validate_json(line)
                if step.problem is not None:
                    raise error_of(step.problem)
                if step.result is not None:
                    return step.result
                show(step)
        raise ControlServerException(
            "The control server ended before it finished. "
            "Try again: it is started anew, and nothing half is kept.",
            code="ControlServerEnded",
        )

    def _send(self, method: str, path: str, body: Any, params: Params | None) -> httpx.Response:
        """A request that never reached a server is sent again to a fresh one; any other failure is told."""
        self.ensure()
        seconds = _ANSWER_TIMEOUT_SECONDS if method == "GET" else _CHANGE_TIMEOUT_SECONDS
        request = self._http.build_request(
            method, path, json=body, params=params, timeout=httpx.Timeout(seconds, connect=5)
        )
        with translated():
            try:
                return self._http.send(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                self._checked = False
                self.ensure()
                return self._http.send(request)

    # --- the server's life ---------------------------------------------------------------------------

    def status(self) -> ServerStatus | None:
        """What runs, or None if nothing answers on the socket."""
        if not listening(self.home.control_socket):
            return None
        try:
            response = self._http.get("/status", timeout=5)
        except httpx.TransportError:
            return None
        return ServerStatus.model_validate(response.json()) if response.is_success else None

    def ensure(self) -> None:
        """Makes sure that a control server of this release runs; a server of another one is replaced."""
        with self._guard:
            if self._checked and listening(self.home.control_socket):
                return
            status = self.status()
            if status is not None and status.version != __version__:
                self.stop()
                status = None
            if status is None:
                self._start()
            self._checked = True

    def stop(self) -> bool:
        """Ends the control server, not the services; False if none ran."""
        status = self.status()
        if status is None:
            return False
        with translated():
            self._http.post("/shutdown", timeout=5)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while _lock_held(self.home):
            if time.monotonic() > deadline:
                raise ControlServerException(
                    f"The control server (pid {status.pid}) did not end within {STOP_TIMEOUT_SECONDS:.0f} s. "
                    f"Its log is {self.home.control_log}; it can be ended with kill {status.pid}.",
                    code="ControlServerStuck",
                )
            time.sleep(_POLL_SECONDS)
        self._checked = False
        return True

    def close(self) -> None:
        """Gives its sockets back; the connection is of no use afterwards."""
        self._http.close()

    def _start(self) -> None:
        try:
            self.home.create()
        except OSError as error:
            raise ControlServerException(
                f"The state folder {self.home.root} cannot be used: {error}. "
                f"Set {HOME_VARIABLE} to a folder of yours.",
                code="HomeUnusable",
            ) from error
        output = self.home.logs / "control.out"
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "estiva.control", "--home", str(self.home.root)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd=self.home.root,
                start_new_session=True,
            )
        # Reaped by a thread, so that a control server that ends is no zombie of a long-lived notebook.
        threading.Thread(target=process.wait, name="control-server", daemon=True).start()
        self._await(process, output)

    def _await(self, process: subprocess.Popen[bytes], output: Path) -> None:
        """Until the socket answers. Our process may have left the place to another that was starting."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self.status() is not None:
                return
            if process.poll():
                break
            time.sleep(_POLL_SECONDS)
        told = output.read_text(errors="replace").strip().splitlines()[-5:]
        raise ControlServerException(
            "The control server could not be started: "
            + (told[-1] if told else f"it did not answer within {START_TIMEOUT_SECONDS:.0f} s")
            + f". Its log is {self.home.control_log}; `estiva doctor` checks what it needs.",
            code="ControlServerNotStarted",
            detail="\n".join(told),
        )


def listening(path: Path) -> bool:
    """Whether something accepts connections there. Asked first: httpx leaks a socket that cannot connect."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _lock_held(home: Home) -> bool:
    import fcntl

    with home.control_lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def translated() -> Iterator[None]:
    """httpx's errors as ours: each means that the control server went away or does not answer."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise ControlServerException(
            "The control server does not answer. "
            "`estiva status` shows whether it runs, `estiva down` ends it.",
            code="ControlServerTimeout",
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise ControlServerException(
            f"The connection to the control server broke off ({error}). "
            "What was accepted goes on: look with `estiva service list`, then try again.",
            code="ControlServerEnded",
        ) from error


def problem_of(response: httpx.Response) -> EstivaError:
    try:
        return error_of(Problem.model_validate_json(response.content))
    except ValueError:
        text = response.text[:500]
    return ControlServerException(
        f"The control server answered {response.status_code}: {text}", code="ControlServerFailed"
    )


def error_of(problem: Problem) -> EstivaError:
    return named(problem.type)(problem.message, code=problem.code, detail=problem.detail)


def address(*names: str) -> str:
    """The path of a thing in the API, address("workspaces", "prod", "models", "iris").

    Raises UserErrorException for what no name can be, before it could lead to another thing.
    """
    for name in names:
        if name in ("", ".", "..") or "/" in name:
            raise UserErrorException(
                f'{name!r} cannot be a name: it is empty, has a "/", or leads elsewhere.', code="NameInvalid"
            )
    return "".join(f"/{quote(name, safe='')}" for name in names)


@lru_cache(maxsize=8)
def _connection(root: str, _pid: int) -> Connection:
    return Connection(Home(Path(root)))


def connect() -> Connection:
    """The connection to the current home's control server, one per process (and per fork)."""
    return _connection(str(Home.current().root), os.getpid())


def lines(response: httpx.Response) -> Iterator[Any]:
    """The JSON documents of a streamed answer, as they come."""
    for line in response.iter_lines():
        yield json.loads(line)
