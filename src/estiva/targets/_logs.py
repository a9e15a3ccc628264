"""Reading logs that grow and rotate: `replica.log` is the newest file, `replica.log.1` the one before."""

from __future__ import annotations

import heapq
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
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
    return Follower(log).read(count)


@dataclass
class Follower:
    """Reads on in a log from where it stopped, across rotations."""

    log: Path
    _inode: int = 0
    _offset: int = 0

    def read(self, count: int | None = None) -> list[str]:
        """Whole lines written since the last call (the last `count` of them), oldest first."""
        lines: deque[str] = deque(maxlen=count)
        files = _open_all(self.log)
        inodes = [file.inode for file in files]
        unread = files[inodes.index(self._inode) :] if self._inode in inodes else files
        for file in unread:
            offset = self._offset if file.inode == self._inode else 0
            self._inode, self._offset = file.inode, self._take(file, offset, lines)
        for file in files:
            file.content.close()
        return list(lines)

    def _take(self, file: _File, offset: int, lines: deque[str]) -> int:
        """Adds the whole lines after the offset; returns where they end."""
        if offset > file.size:  # another file that got the old one's inode
            offset = 0
        file.content.seek(offset)
        for line in file.content:
            if not line.endswith(b"\n"):
                break
            offset += len(line)
            lines.append(line.decode(errors="replace").rstrip("\r\n"))
        return offset


@dataclass(frozen=True)
class _File:
    inode: int
    size: int
    content: BinaryIO


def _open_all(log: Path) -> list[_File]:
    """The log's files, oldest first, each once.

    Opened newest first, so that a rotation in between shows a file twice, and never hides one.
    """
    files: dict[int, _File] = {}
    for number in range(_KEPT_FILES):
        path = log if number == 0 else log.with_name(f"{log.name}.{number}")
        try:
            content = path.open("rb")
        except FileNotFoundError:
            continue
        status = os.fstat(content.fileno())
        if status.st_ino in files:
            content.close()
        else:
            files[status.st_ino] = _File(status.st_ino, status.st_size, content)
    return list(files.values())[::-1]
