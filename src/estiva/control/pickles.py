"""What a pickle says of who wrote it, read from its bytes: nothing is unpickled, which could run anything."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader

_CHUNK = 1024 * 1024
_OVERLAP = 128
"""More than what is looked for takes, so that it is found where two chunks meet."""
_SCANNED = 4 * 1024**3
"""Of what a file unpacks to."""

# The key in an estimator's state, the mark that later uses of it refer to, and the head of the text that
# follows, with its length: in one byte, or in four.
_VERSION = re.compile(rb"_sklearn_version(?:\x94|q.|r.{4})?(?:\x8c(.)|X(.{4}))", re.DOTALL)
_COLUMNS = b"feature_names_in_"
_ZLIB = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"\x1f\x8b")


@dataclass(frozen=True)
class Pickled:
    sklearn_version: str | None = None
    """Of scikit-learn when it was written; None if the file does not say, or cannot be read."""
    names_columns: bool = False
    """Whether it was fitted with the names of columns: on a DataFrame."""


def read_pickle(file: BufferedReader) -> Pickled:
    """Reads what pickle or joblib wrote, also compressed by zlib or gzip."""
    version, names_columns, rest = None, False, b""
    for chunk in _chunks(file):
        window = rest + chunk
        version = version or _version(window)
        names_columns = names_columns or _COLUMNS in window
        if version and names_columns:
            break
        rest = window[-_OVERLAP:]
    return Pickled(version, names_columns)


def _version(window: bytes) -> str | None:
    found = _VERSION.search(window)
    if found is None:
        return None
    length = int.from_bytes(found[1] or found[2], "little")
    text = window[found.end() : found.end() + length]
    return text.decode() if re.fullmatch(rb"\d+\.\d+[\w.+]*", text) else None


def _chunks(file: BufferedReader) -> Iterator[bytes]:
    if file.peek(2)[:2] in _ZLIB:
        yield from _unpacked(file)
    else:
        yield from iter(lambda: file.read(_CHUNK), b"")


def _unpacked(file: BufferedReader) -> Iterator[bytes]:
    """Up to where it is damaged, or ends."""
    unpacker, unpacked = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32), 0
    waiting = file.read(_CHUNK)
    while waiting and unpacked < _SCANNED:
        try:
            chunk = unpacker.decompress(waiting, _CHUNK)
        except zlib.error:
            return
        unpacked += len(chunk)
        yield chunk
        waiting = unpacker.unconsumed_tail or file.read(_CHUNK)
