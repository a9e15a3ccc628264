"""Bytes from one open file to another, hashed on the way: a clone where the file system can, else a copy.

And the one place where the errors of writing them are translated.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedRandom, BufferedReader
from pathlib import Path

from estiva.errors import RegistryException

CHUNK_BYTES = 1024 * 1024

# <linux/fs.h>: makes the target share the source's extents until one of them is written to.
_FICLONE = 0x40049409

# How kernels and file systems say that they cannot clone these two files; a copy can still be made.
_CANNOT_CLONE = {
    errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EACCES,
    errno.EBADF, errno.ETXTBSY,
}  # fmt: skip


def ignore(_bytes: int) -> None:
    """The progress callback of those who do not want to know."""


def clone(source: BufferedReader, target: BufferedRandom) -> bool:
    """Makes `target` a reflink of `source`; False, and nothing done, where that is not possible.

    Both stay independent files: a later write to one never shows in the other.
    """
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except OSError as error:
        if error.errno in _CANNOT_CLONE:
            return False
        raise
    return True


def transfer(
    source: BufferedReader, target: BufferedRandom, on_bytes: Callable[[int], None] = ignore
) -> tuple[str, int]:
    """Fills the empty `target` with the content of `source`; returns its SHA-256 in hex, and its size.

    Reads each byte once, in constant memory. What is hashed is what `target` holds. `on_bytes` hears how
    many bytes each step added. A source that grows meanwhile is not followed for ever: that ends soon after
    the size that it had.
    """
    limit = os.fstat(source.fileno()).st_size
    cloned = clone(source, target)
    reader = target if cloned else source
    digest, size = hashlib.sha256(), 0
    buffer = memoryview(bytearray(CHUNK_BYTES))
    while size <= limit and (count := reader.readinto(buffer)):
        chunk = buffer[:count]
        digest.update(chunk)
        if not cloned:
            target.write(chunk)
        size += count
        on_bytes(count)
    target.flush()
    return digest.hexdigest(), size


@contextmanager
def storing(folder: Path, needed: int) -> Iterator[None]:
    """Translates what the operating system says when `needed` bytes cannot be written below `folder`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder, needed, error) from error
        raise RegistryException(
            f"A file could not be stored in {folder}: {error.strerror or error}. "
            "Check that the folder exists and that you may write to it.",
            detail=repr(error),
        ) from error


def _full(folder: Path, needed: int, error: OSError) -> RegistryException:
    free = shutil.disk_usage(folder).free
    limit = "your quota there is used up" if error.errno == errno.EDQUOT else f"{_megabytes(free)} are free"
    return RegistryException(
        f"The disk is full: {_megabytes(needed)} were needed in {folder}, and {limit}. "
        "Free some space, or delete models that are no longer needed, and try again.",
        code="DiskFull",
        detail=repr(error),
    )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
