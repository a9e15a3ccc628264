"""The replica's log: every line with the time it came, in a file that never outgrows its limit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from estiva_server.contract import LOG_FILE

FILE_BYTES = 10 * 1024 * 1024
FILES = 3
"""With the current one: replica.log, replica.log.1, replica.log.2."""
LINE_BYTES = 64 * 1024
"""A longer line is cut into several, so that output without line ends cannot fill the memory."""

Write = Callable[[bytes], None]


class LogFile:
    """Appends to `folder`/replica.log. A full disk loses lines, not the server; how many is logged later."""

    def __init__(self, folder: Path, limit: int = FILE_BYTES, files: int = FILES) -> None:
        self.path = folder / LOG_FILE
        self._limit = limit
        self._files = files
        self._lost = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._open()

    def write(self, lines: bytes) -> None:
        try:
            if self._lost:
                self._append(stamp(f"estiva-server: {self._lost} lines were lost: the log was not writable"))
                self._lost = 0
            self._append(lines)
        except OSError:
            self._lost += lines.count(b"\n")

    def close(self) -> None:
        self._file.close()

    def _append(self, lines: bytes) -> None:
        if self._size and self._size + len(lines) > self._limit:
            self._rotate()
        self._file.write(lines)
        self._size += len(lines)

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._files - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{LOG_FILE}.{number}") if number else self.path

    def _open(self) -> None:
        self._file = self.path.open("ab", buffering=0)
        self._size = self.path.stat().st_size


def write_to_stdout(lines: bytes) -> None:
    """Where the log goes when there is no folder for it. A closed pipe loses lines, never the server."""
    try:
        while lines:
            lines = lines[os.write(1, lines) :]
    except OSError:
        return


def stamp(text: str, now: float | None = None) -> bytes:
    """One line of the log."""
    return _time(time.time() if now is None else now) + text.encode("utf-8", "backslashreplace") + b"\n"


class LineStamper:
    """Cuts a stream of output into lines and writes each with its time."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        while len(self._rest) >= LINE_BYTES:
            lines.append(self._rest[:LINE_BYTES])
            self._rest = self._rest[LINE_BYTES:]
        if lines:
            head = _time(time.time())
            self._write(b"".join(head + line + b"\n" for line in lines))

    def finish(self) -> None:
        """Write what came after the last line end."""
        if self._rest:
            self.feed(b"\n")


def _time(now: float) -> bytes:
    """ "2026-03-01T12:00:00.123Z "."""
    milliseconds = int(now * 1000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{text}.{milliseconds % 1000:03d}Z ".encode()
