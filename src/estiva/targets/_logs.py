"""Reading logs that grow and rotate: `replica.log` is the newest file, `replica.log.1` the one before."""

from __future__ import annotations

import heapq
import os
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO

_KEPT_FILES = 10
# "2026-11-23T23:05:00.123Z " begins every line, so that text order is the order of time.
_TIMESTAMP_LENGTH = 24


def merge(logs: Iterable[list[str]]) -> list[str]:
    """Lines of several logs in the order of time; those of one log stay as they are."""
    return list(heapq.merge(*logs, key=lambda line: line[:_TIMESTAMP_LENGTH]))


def tail(log: Path, count: int) -> list[str]:
    """The last lines of a log, rotated files included, in constant memory."""
    with closing(Follower(log)) as follower:
        return follower.read(count)


class Follower:
    """Reads on in a log from where it stopped, across rotations."""

    def __init__(self, log: Path) -> None:
        self._log = log
        # Where it stopped. Held open, so that no newer file can get this one's inode.
        self._last: BinaryIO | None = None

    def read(self, count: int | None = None) -> list[str]:
        """Whole lines written since the last call (the last `count` of them), oldest first."""
        lines: deque[str] = deque(maxlen=count)
        with ExitStack() as stack:
            files = _open_all(self._log)
            for file in files.values():
                stack.callback(file.close)
            inodes = list(files)
            if self._last is not None and (inode := _inode(self._last)) in files:
                _take(self._last, lines)
                inodes = inodes[inodes.index(inode) + 1 :]
            for inode in inodes:
                _take(files[inode], lines)
            if inodes:
                self._keep(files[inodes[-1]])
        return list(lines)

    def close(self) -> None:
        if self._last is not None:
            self._last.close()

    def _keep(self, file: BinaryIO) -> None:
        self.close()
        position = file.tell()
        self._last = os.fdopen(os.dup(file.fileno()), "rb")
        self._last.seek(position)


def _take(file: BinaryIO, lines: deque[str]) -> None:
    """Adds the whole lines from the file's position on, and leaves the position after them."""
    position = file.tell()
    for line in file:
        if not line.endswith(b"\n"):
            break
        position += len(line)
        lines.append(line.decode(errors="replace").rstrip("\r\n"))
    file.seek(position)


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino


def _open_all(log: Path) -> dict[int, BinaryIO]:
    """The log's files by their inode, oldest first.

    Opened newest first, so that a rotation in between shows a file twice, and never hides one.
    """
    files: dict[int, BinaryIO] = {}
    for number in range(_KEPT_FILES):
        path = log if number == 0 else log.with_name(f"{log.name}.{number}")
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue
        if files.setdefault(_inode(file), file) is not file:
            file.close()
    return dict(reversed(files.items()))
