"""A worker process as its supervisor has it: forked, with pipes for its output and for what it says."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from pathlib import Path

from estiva_server.contract import Status
from estiva_server.log import LineStamper, Write
from estiva_server.scoreboard import Scoreboard
from estiva_server.settings import Settings

_CHUNK = 256 * 1024  # more than a pipe holds: one read takes all that is there
_PR_SET_PDEATHSIG = 1
_OPEN_FILES = Path("/dev/fd")

HANDLED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})
"""What the supervisor handles, and a worker must not until it says otherwise."""


# What a worker tells its supervisor, one per line.
READY = "ready"
"""Followed by a space and how many requests it takes at a time."""
DEBUGGED = "debugged"
"""It has a debugger, and no deadline."""
STUCK = "stuck"
REPORT = "report"
"""From a loader, followed by a space and its status as JSON."""
FAILED = "failed"
"""Followed by a space and a sentence."""


class Child:
    """One worker. The supervisor calls the methods; nothing here runs in the worker."""

    def __init__(
        self, pid: int, output: int, notes: int, lifeline: int, boards: Sequence[Scoreboard], write: Write
    ) -> None:
        self.pid = pid
        self.output = output
        """Descriptor of its standard output and error; non-blocking, as is the next."""
        self.notes = notes
        """Descriptor of what it says of itself: lines."""
        self.boards = boards
        """Its scoreboard; a loader's are those of its workers."""
        self.generation = 0
        self.capacity = 0
        """Requests that it takes at a time; 0 until it is ready."""
        self.report: Status | None = None
        """What a loader said last of its workers."""
        self.began = time.monotonic()
        self.ready_at: float | None = None
        self.debugged = False
        """It has a debugger's port, which another can have when it is gone, and no deadline."""
        self.retired = False
        """It was asked to end, or is to be replaced: its end is no crash."""
        self.kill_at: float | None = None
        self.failure = ""
        """Why it could not start: its own sentence."""
        self._lifeline = lifeline
        self._log = LineStamper(write)
        self._note = b""

    def pump(self) -> bool:
        """Move what it printed into the log; False when there is no more to come."""
        chunk = _read(self.output)
        self._log.feed(chunk or b"")
        return chunk != b""

    def hear(self) -> tuple[list[str], bool]:
        """The lines it said since the last call, and whether more can come."""
        chunk = _read(self.notes)
        *lines, self._note = (self._note + (chunk or b"")).split(b"\n")
        return [line.decode() for line in lines], chunk != b""

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    @property
    def serves(self) -> bool:
        """Whether it answers requests; a loader's workers may all be in replacement."""
        return self.ready_at is not None and (self.report is None or self.report.phase == "ready")

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the workers that it is or has."""
        return self.report.worker_pids if self.report else (self.pid,)

    def lived(self) -> float:
        """Seconds since it was ready."""
        return time.monotonic() - self.ready_at if self.ready_at is not None else 0.0

    def bury(self) -> Sequence[Scoreboard]:
        """After its death: an end to programs that it started and left behind, and the last of its output.

        Returns its scoreboards, cleared for another.
        """
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.pump()
        self._log.finish()
        for descriptor in (self.output, self.notes, self._lifeline):
            os.close(descriptor)
        for board in self.boards:
            board.clear()
        return self.boards


Tell = Callable[[str], None]
Work = Callable[[Settings, int, Sequence[Scoreboard], Tell], int]


def fork(
    settings: Settings,
    listener: socket.socket,
    write: Write,
    work: Work,
    boards: Sequence[Scoreboard],
    keep: Set[int] = frozenset(),
) -> Child:
    """Start a process that does `work` and ends with the status that it returns. Raises OSError.

    Of the open descriptors it gets the listener, its own pipes, and those in `keep`.
    """
    output, notes, lifeline = os.pipe(), os.pipe(), os.pipe()
    parent = os.getpid()
    # Signals wait while the child still has the supervisor's handlers, so that none is lost in it.
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        pid = _fork(*output, *notes, *lifeline)
        if pid == 0:
            _be_worker(
                lambda: work(settings, listener.detach(), boards, lambda text: _tell(notes[1], text)),
                output=output[1],
                keep={listener.fileno(), notes[1], lifeline[0], *keep},
                parent=parent,
                lifeline=lifeline[0],
            )
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    for descriptor in (output[1], notes[1], lifeline[0]):
        os.close(descriptor)
    for descriptor in (output[0], notes[0]):
        os.set_blocking(descriptor, False)
    return Child(pid, output[0], notes[0], lifeline[1], boards, write)


def _fork(*descriptors: int) -> int:
    """os.fork(), which closes the descriptors when it fails."""
    try:
        return os.fork()
    except OSError:
        for descriptor in descriptors:
            os.close(descriptor)
        raise


def _read(descriptor: int) -> bytes | None:
    """What is there; None if nothing is now, b"" if nothing will be any more."""
    try:
        return os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return None


def _tell(descriptor: int, text: str) -> None:
    line = " ".join(text.split())
    os.write(descriptor, f"{line}\n".encode("utf-8", "backslashreplace"))


# --- in the worker ---------------------------------------------------------------------------------------


def _be_worker(work: Callable[[], int], output: int, keep: Set[int], parent: int, lifeline: int) -> None:
    """Never returns."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        # A group of its own: a Ctrl-C in the terminal is for the supervisor, which then lets us finish.
        os.setpgid(0, 0)
        _redirect(output)
        _close_others(keep)
        die_with(parent, lifeline)
        status = work()
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _redirect(output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)


def _close_others(keep: Set[int]) -> None:
    """Nobody but the supervisor holds its locks and pipes open, or its death would not show."""
    for descriptor in open_descriptors():
        if descriptor > 2 and descriptor not in keep:
            with suppress(OSError):  # the descriptor of the listing itself
                os.close(descriptor)


def open_descriptors() -> list[int]:
    return [int(name) for name in os.listdir(_OPEN_FILES)]  # noqa: PTH208  names, not paths


def die_with(parent: int, lifeline: int, platform: str = sys.platform) -> None:
    """Be killed when the supervisor dies, however it dies.

    Linux does it. Elsewhere a thread waits for the end of a pipe whose other end only the supervisor has.
    """
    if platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.close(lifeline)
        if os.getppid() != parent:
            os._exit(1)
    else:
        import threading

        threading.Thread(target=_await_end, args=(lifeline,), name="estiva lifeline", daemon=True).start()


def _await_end(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGKILL)
