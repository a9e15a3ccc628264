"""A real scoring server in a folder of the test's own."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

SECONDS = 15.0
"""The bound of every wait."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Log:
    """Lines that a process prints, as they come."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        for line in self._stream:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._stream.close()

    @property
    def text(self) -> str:
        with self._changed:
            return "\n".join(self._lines)

    def wait_for(self, pattern: str, count: int = 1, seconds: float = SECONDS) -> re.Match[str]:
        """Until `count` lines match; returns the last match."""

        def found() -> list[re.Match[str]]:
            return [match for line in self._lines if (match := re.search(pattern, line))]

        with self._changed:
            self._changed.wait_for(lambda: len(found()) >= count or self._ended, seconds)
            matches = found()
        assert len(matches) >= count, f"no {pattern!r} in the log:\n{self.text}"
        return matches[count - 1]

    def close(self) -> None:
        self._thread.join(SECONDS)


class ScoringServer:
    """`python -m estiva_server` in `folder`, on a free port, with its log on standard output."""

    def __init__(
        self,
        folder: Path,
        flags: Iterable[str] = (),
        variables: Mapping[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
        python: str = sys.executable,
    ) -> None:
        self.folder = folder
        self.run_dir = folder.parent / f"{folder.name}.run"
        self.process = subprocess.Popen(
            [python, "-m", "estiva_server", "--port", "0", "--run-dir", str(self.run_dir), *flags],
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=pass_fds,
        )
        assert self.process.stdout is not None
        self.log = Log(self.process.stdout)

    def wait_until_ready(self, count: int = 1) -> None:
        """Until a worker said so for the `count`th time."""
        self.log.wait_for("ready after", count)

    @property
    def port(self) -> int:
        return int(self.log.wait_for(r"ready after .* at http://127\.0\.0\.1:(\d+)").group(1))

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            sent = body.encode() if isinstance(body, str) else body
            chunked = sent is not None and not isinstance(sent, bytes)
            connection.request(method, path, sent, dict(headers or {}), encode_chunked=chunked)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def score(self, body: bytes | str, **headers: str) -> Answer:
        return self.ask("POST", "/score", body, {name.replace("_", "-"): v for name, v in headers.items()})

    @property
    def status(self) -> dict[str, Any]:
        content = json.loads((self.run_dir / "status.json").read_text())
        assert isinstance(content, dict)
        return content

    def workers(self, count: int) -> list[int]:
        """Those that are being replaced are listed until they have gone, which is waited for."""
        deadline = time.monotonic() + SECONDS
        while len(pids := self.status["worker_pids"]) != count:
            assert time.monotonic() < deadline, f"not {count}: {pids}"
            time.sleep(0.01)
        return list(pids)

    @property
    def worker(self) -> int:
        """The only one."""
        return int(self.workers(1)[0])

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Until it ends; returns its exit status. The log is complete then."""
        code = self.process.wait(SECONDS)
        self.log.close()
        return code

    def stop(self) -> int:
        if self.process.poll() is None:
            self.send(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """However the test ended, nothing is left of it."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()


def wait_for_metric(server: ScoringServer, line: str) -> None:
    """Until /metrics says so."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        text = server.ask("GET", "/metrics").body.decode()
        if f"\n{line}\n" in text:
            return
    raise AssertionError(text)


def gone(pid: int) -> bool:
    """Whether the process has ended, or does so soon; a zombie that its parent is slow to take away has."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], SECONDS)[0])
    finally:
        os.close(descriptor)


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
