"""Files by their content: each stored once, under its SHA-256, and never changed afterwards."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedRandom, BufferedReader
from pathlib import Path

from filelock import FileLock, Timeout

from estiva.errors import MissingModelPath, RegistryException, UserErrorException
from estiva.registry.content import ignore, storing, transfer

_SHA256 = re.compile(r"[0-9a-f]{64}")
GRACE_SECONDS = 3600
"""How long what nobody refers to is kept, because somebody may be about to."""

_LOCK_SECONDS = 60


class Blobs:
    """A folder of blobs: `root/ab/cdef...`, read-only, and `root/incoming` for those that are being written.

    Safe for many threads and processes. A crash leaves at most a file in `incoming`, which `prune` removes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"

    def add(self, path: Path, on_bytes: Callable[[int], None] = ignore) -> tuple[str, int]:
        """Stores the file at `path`; returns its SHA-256 in hex and its size. Idempotent.

        Content that is already stored is written anew all the same: that repairs a damaged blob, and
        makes it young, so that `prune` leaves it alone. `on_bytes` hears how many bytes each step added.
        Raises UserErrorException if the file cannot be read or changes meanwhile, RegistryException with
        code "DiskFull" or "RegistryFailed" if it cannot be stored.
        """
        with _readable(path) as source:
            before = os.fstat(source.fileno())
            with storing(self._root, before.st_size):
                self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
                temporary = self._incoming / uuid.uuid4().hex
                with _created(temporary, 0o600) as file:
                    sha256, size = transfer(source, file, on_bytes)
                    _check_unchanged(path, before, os.fstat(source.fileno()), size)
                    os.fchmod(file.fileno(), 0o444)
                    os.fsync(file.fileno())
                    self._publish(temporary, sha256)
        return sha256, size

    def _publish(self, temporary: Path, sha256: str) -> None:
        target = self._place(sha256)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with self._lock():  # so that prune never removes what has just been made young
            temporary.replace(target)
        _sync(target.parent)

    def path(self, sha256: str) -> Path:
        """Where the blob is; RegistryException with code "BlobMissing" if it is not stored."""
        place = self._place(sha256)
        if not place.is_file():
            raise _not_stored(sha256)
        return place

    def open(self, sha256: str) -> BufferedReader:
        """The blob, open for reading; RegistryException with code "BlobMissing" if it is not stored."""
        try:
            return self._place(sha256).open("rb")
        except FileNotFoundError as error:
            raise _not_stored(sha256) from error

    def copy(self, sha256: str, target: Path, executable: bool) -> None:
        """Writes the blob to `target`, complete or not at all, replacing what is there.

        Its mode is that of any new file of this user. Raises RegistryException with code "BlobMissing",
        "BlobDamaged" when the stored bytes are no longer those that were registered, or "DiskFull".
        """
        mode = 0o777 if executable else 0o666
        with self.open(sha256) as source, storing(target.parent, os.fstat(source.fileno()).st_size):
            temporary = target.with_name(f".estiva-{uuid.uuid4().hex}")
            with _created(temporary, mode) as file:
                found, _ = transfer(source, file)
                if found != sha256:
                    raise _damaged(sha256, found)
                temporary.replace(target)

    def prune(self, referenced: set[str]) -> int:
        """Removes the blobs that are not `referenced`, and leftovers of crashes; returns the bytes freed.

        What is younger than an hour stays: it may belong to a registration that is under way. Idempotent.
        """
        with self._lock():
            stored = [
                path for path in self._root.glob("??/*") if path.parent.name + path.name not in referenced
            ]
            return sum(_remove_old(path) for path in [*stored, *self._incoming.glob("*")])

    def _place(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):  # it becomes a path
            raise _not_stored(sha256)
        return self._root / sha256[:2] / sha256[2:]

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with FileLock(self._root / "lock", timeout=_LOCK_SECONDS):
                yield
        except Timeout as error:
            raise RegistryException(
                f"Another process has held the stored files in {self._root} for {_LOCK_SECONDS} seconds. "
                "Try again when it has finished.",
                code="RegistryBusy",
            ) from error


@contextmanager
def _readable(path: Path) -> Iterator[BufferedReader]:
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise UserErrorException(f"{path} cannot be read: {error.strerror}.", code="Unreadable") from error
    with file:
        yield file


def _check_unchanged(path: Path, before: os.stat_result, after: os.stat_result, size: int) -> None:
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
        raise UserErrorException(
            f"{path} was changed while it was being read, so nothing was registered. "
            "Wait until whatever writes it has finished, and try again.",
            code="SourceChanged",
        )


@contextmanager
def _created(path: Path, mode: int) -> Iterator[BufferedRandom]:
    """A new file of that mode (less the umask), removed at the end unless it was renamed."""
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "w+b") as file:
        try:
            yield file
        finally:
            path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Makes a rename in the folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_old(path: Path) -> int:
    try:
        status = path.stat()
        if time.time() - status.st_mtime < GRACE_SECONDS:
            return 0
        path.unlink()
    except FileNotFoundError:  # a registration has just renamed or removed it
        return 0
    return status.st_size


def missing(path: Path) -> MissingModelPath:
    """The error for a path of the user's that does not exist."""
    return MissingModelPath(f"{path} does not exist. Check the path, and where it starts from.")


def _not_stored(sha256: str) -> RegistryException:
    return RegistryException(
        f"The stored file {sha256} is missing. Register or deploy the same file again to restore it.",
        code="BlobMissing",
    )


def _damaged(sha256: str, found: str) -> RegistryException:
    return RegistryException(
        f"The stored file {sha256} is damaged: its content is no longer what was registered. "
        "Register the same file again to repair it, and check the disk.",
        code="BlobDamaged",
        detail=f"its SHA-256 is now {found}",
    )
