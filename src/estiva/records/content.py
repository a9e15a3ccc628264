"""Folders as content: files by their digests."""

from __future__ import annotations

import hashlib
import json

from estiva.records.base import Record


class File(Record):
    path: str
    """Relative to the tree's root, with forward slashes; never absolute, never with `..`."""
    sha256: str
    size: int
    executable: bool = False


class Tree(Record):
    """A folder's content: its files, and its empty directories."""

    files: tuple[File, ...]
    directories: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """SHA-256 over the sorted entries: equal for equal content, whatever the file times."""
        entries = [["f", f.path, f.sha256, f.executable] for f in self.files]
        entries += [["d", path] for path in self.directories]
        return hashlib.sha256(json.dumps(sorted(entries, key=lambda e: str(e[1]))).encode()).hexdigest()
