"""Programs that environments are made by, uv above all: streamed, cancellable at once, bounded."""

from __future__ import annotations

import codecs
import os
import re
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from estiva.errors import EnvironmentException, UserErrorException

OnLine = Callable[[str], None]
Cancelled = Callable[[], bool]

RATTLER_PROGRAM = str(Path(__file__).with_name("rattler_program.py"))

TIMEOUT_VARIABLE = "ESTIVA_BUILD_TIMEOUT"
_TIMEOUT_SECONDS = 30 * 60.0
_POLL_SECONDS = 0.05
_END_SECONDS = 10.0

_CHANNEL_TOKEN = re.compile(r"(://[^/\s]+/t/)[^/\s]+/")
_CREDENTIALS = re.compile(r"(?P<scheme>\w[\w+.-]*://)(?P<user>[^/\s:@]*)(?P<password>:[^/\s@]*)?@")


@dataclass(frozen=True)
class Outcome:
    status: int
    stdout: str
    stderr: str
    """What uv told, credentials masked."""

    @property
    def failed(self) -> bool:
        return self.status != 0


def run(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    on_line: OnLine = lambda _: None,
    cancelled: Cancelled = lambda: False,
    seconds: float | None = None,
    cwd: Path | None = None,
) -> Outcome:
    """Runs `command`, handing each line that it tells to `on_line`; a failure is an `Outcome` too.

    Ends it and all that it started, and raises an EnvironmentException of code "Cancelled" or "BuildTimeout",
    when `cancelled()` becomes true or `seconds` (build_timeout() unless given) have passed.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        cwd=cwd or "/",  # no project's configuration applies
        start_new_session=True,
    )
    with process:
        try:
            limit = build_timeout() if seconds is None else seconds
            return _Following(process, on_line, cancelled, limit).to_its_end()
        finally:
            if process.returncode is None:
                _kill_group(process.pid)


def run_both(
    first: Callable[[OnLine, Cancelled], None],
    second: Callable[[OnLine, Cancelled], None],
    *,
    on_line: OnLine,
    cancelled: Cancelled,
) -> None:
    """Does both at once. If one fails, the other is cancelled, and its error is the one that is raised."""
    telling, failed = threading.Lock(), threading.Event()

    def tell(line: str) -> None:
        with telling:
            on_line(line)

    def attempt(work: Callable[[OnLine, Cancelled], None]) -> EnvironmentException | None:
        succeeded = False
        try:
            work(tell, lambda: failed.is_set() or cancelled())
            succeeded = True
        except EnvironmentException as error:
            return error
        finally:
            if not succeeded:
                failed.set()
        return None

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(copy_context().run, attempt, work) for work in (first, second)]
    errors = [error for error in (each.result() for each in running) if error is not None]
    if errors:
        raise min(errors, key=lambda error: error.code == "Cancelled")


def build_timeout() -> float:
    """Seconds that one run of uv may take: `ESTIVA_BUILD_TIMEOUT`, or 30 minutes."""
    chosen = os.environ.get(TIMEOUT_VARIABLE) or str(_TIMEOUT_SECONDS)
    with suppress(ValueError):
        if float(chosen) > 0:
            return float(chosen)
    raise UserErrorException(f'{TIMEOUT_VARIABLE} is "{chosen}"; it is a number of seconds above 0.')


def raise_if(cancelled: Cancelled) -> None:
    if cancelled():
        raise EnvironmentException("Building the environment was cancelled.", code="Cancelled")


def mask(text: str) -> str:
    """URLs without their passwords and tokens: "https://me:***@packages.example.org/"."""
    return _CHANNEL_TOKEN.sub(r"\1***/", _CREDENTIALS.sub(_masked, text))


def _masked(match: re.Match[str]) -> str:
    if match["password"]:
        return f"{match['scheme']}{match['user']}:***@"
    # a lone name before the @ is a token over HTTP, and nothing but a login ("git") elsewhere
    return f"{match['scheme']}***@" if "http" in match["scheme"] else match[0]


def end_orphans(mark: str) -> None:
    """Ends every process of this user that `run` started and whose command line names `mark`.

    Only for the holder of the lock on what `mark` names: then such a process was left by a killed builder.
    """
    for process in psutil.process_iter(["cmdline", "uids"]):
        words = process.info["cmdline"] or []
        mine = process.info["uids"] and process.info["uids"].real == os.getuid()
        ours = words and (Path(words[0]).name == "uv" or RATTLER_PROGRAM in words)
        if mine and ours and any(mark in word for word in words[1:]):
            _kill_group(process.pid)
            _wait_for_end(process)


def _wait_for_end(process: psutil.Process) -> None:
    """Until it does nothing any more; when its zombie is collected is up to the machine's init."""
    deadline = time.monotonic() + _END_SECONDS
    with suppress(psutil.NoSuchProcess):
        while process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS / 10)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class _Following:
    """Reads both pipes of a process until it ends."""

    def __init__(
        self, process: subprocess.Popen[bytes], on_line: OnLine, cancelled: Cancelled, seconds: float
    ) -> None:
        self.process, self.on_line, self.cancelled, self.seconds = process, on_line, cancelled, seconds
        self.texts = {"stdout": "", "stderr": ""}
        self.told = 0

    def to_its_end(self) -> Outcome:
        deadline = time.monotonic() + self.seconds
        with selectors.DefaultSelector() as selector:
            self._register(selector, "stdout", self.process.stdout)
            self._register(selector, "stderr", self.process.stderr)
            while selector.get_map() or self.process.poll() is None:
                ready = selector.select(_POLL_SECONDS)
                for key, _ in ready:
                    self._read(selector, key)
                if not ready and self.process.poll() is not None:
                    break  # a grandchild that outlives uv may keep the pipes open
                raise_if(self.cancelled)
                self._raise_if_late(deadline)
        return Outcome(self.process.wait(_END_SECONDS), self.texts["stdout"], mask(self.texts["stderr"]))

    def _register(self, selector: selectors.DefaultSelector, name: str, pipe: IO[bytes] | None) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        selector.register(pipe or -1, selectors.EVENT_READ, (name, decoder))

    def _read(self, selector: selectors.DefaultSelector, key: selectors.SelectorKey) -> None:
        name, decoder = key.data
        data = os.read(key.fd, 65536)
        self.texts[name] += decoder.decode(data, final=not data)
        if name == "stderr":
            self._tell(final=not data)
        if not data:
            selector.unregister(key.fileobj)

    def _tell(self, *, final: bool) -> None:
        """Hands on the lines that are whole; at the end, what is left."""
        text = self.texts["stderr"]
        end = len(text) if final else text.rfind("\n") + 1
        for line in text[self.told : end].splitlines():
            if line.strip():
                self.on_line(mask(line))
        self.told = max(self.told, end)

    def _raise_if_late(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            last = mask("\n".join(self.texts["stderr"].splitlines()[-5:]))
            raise EnvironmentException(
                f"Building the environment took longer than {self.seconds:.0f} seconds and was ended. "
                f"If it needs more, set {TIMEOUT_VARIABLE} to a larger number of seconds.",
                code="BuildTimeout",
                detail=last,
            )
