"""Spreads requests over the workers of a server, which all accept on one socket.

Left alone, the kernel wakes all workers for a connection, the quickest takes it, and that is the one that
just took another: of two workers one may have all connections. So a worker that is busier than another one
does not accept meanwhile (Gate), and sends clients away whose requests wait here while they need not wait
there (Balance.crowded; they connect anew). At least one worker accepts at any time.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import threading
import time
from contextlib import suppress
from pathlib import Path

from estiva_server.scoreboard import Scoreboard

_MODIFY = 3
_INTERVAL_SECONDS = 0.001
"""Not worth the effort more often than so: shorter calls of run() make way soon enough."""
_FIND_SECONDS = 1.0
_FILES = Path("/proc/self/fdinfo")
_REGISTRATION = re.compile(r"tfd: *(\d+) events: *([0-9a-f]+) data: *([0-9a-f]+) .*ino:([0-9a-f]+)")


class Gate:
    """Whether this process accepts connections from a listening socket that its native server waits on.

    The server has no such switch; what it waits with, epoll, has. Where that is not so (other systems than
    Linux) the gate stays open.
    """

    def __init__(self, descriptor: int) -> None:
        self._inode = os.fstat(descriptor).st_ino
        self._registration: tuple[int, int, int, int] | None = None
        self.open = True

    def find(self) -> None:
        """Call it when the server starts: waits, not for long, until it has begun to accept."""
        deadline = time.monotonic() + _FIND_SECONDS
        while _FILES.is_dir() and self._registration is None and time.monotonic() < deadline:
            self._registration = self._look()
            time.sleep(_INTERVAL_SECONDS)

    def _look(self) -> tuple[int, int, int, int] | None:
        for path in _FILES.iterdir():
            with suppress(OSError):  # a file that is closed meanwhile
                for known in _REGISTRATION.finditer(path.read_text()):
                    if int(known[4], 16) == self._inode:
                        return int(path.name), int(known[1]), int(known[2], 16), int(known[3], 16)
        return None

    def set(self, is_open: bool) -> None:
        if self._registration is None or is_open == self.open:
            return
        epoll, descriptor, events, data = self._registration
        # With no events asked for, none come; asked for again, those that wait come at once.
        event = _Event(events if is_open else 0, data)
        if _epoll_ctl(epoll, _MODIFY, descriptor, ctypes.byref(event)) == 0:
            self.open = is_open


class _Event(ctypes.Structure):
    """struct epoll_event of <sys/epoll.h>."""

    _pack_ = 1 if platform.machine() in ("x86_64", "AMD64") else 0
    _fields_ = (("events", ctypes.c_uint32), ("data", ctypes.c_uint64))


_epoll_ctl = getattr(ctypes.CDLL(None), "epoll_ctl", None) or (lambda *_: -1)


class Balance:
    """One worker's part; its scoreboard tells the others how busy it is, and theirs tell it."""

    def __init__(self, scoreboard: Scoreboard, gate: Gate) -> None:
        self._mine = scoreboard
        self._others = [one for one in scoreboard.everyone if one is not scoreboard]
        self._gate = gate
        self._lock = threading.Lock()
        self._ended = False
        self._due = 0.0
        self._may_send_away = 0.0

    def start(self) -> None:
        """The server accepts."""
        self._gate.find()
        self._mine.note_accepts(True)

    def end(self) -> None:
        """The server is told to stop accepting."""
        with self._lock:
            self._ended = True
            self._mine.note_accepts(False)

    def spread(self, now: float) -> None:
        """Accept or do not, after a request has come, begun or ended. `now` is of `time.monotonic`."""
        if now >= self._due or not (self._gate.open or self._mine.load):
            self._due = now + _INTERVAL_SECONDS
            with self._lock:
                if not self._ended:
                    self._set(not self._better_elsewhere(self._mine.load))

    def crowded(self) -> bool:
        """Whether a request that waits here would do better with another worker."""
        now = time.monotonic()
        if now < self._may_send_away or not self._mine.waiting:
            return False
        self._may_send_away = now + _INTERVAL_SECONDS
        return self._better_elsewhere(self._mine.load - 1)

    def _better_elsewhere(self, load: int) -> bool:
        return load > 0 and any(one.accepts and one.load < load for one in self._others)

    def _set(self, is_open: bool) -> None:
        if is_open != self._gate.open:
            self._gate.set(is_open)
            self._mine.note_accepts(self._gate.open)
            # Two may have closed at the same moment, each trusting in the other.
            if not self._gate.open and not any(one.accepts for one in self._others):
                self._gate.set(True)
                self._mine.note_accepts(True)
