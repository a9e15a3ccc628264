"""Folders that are made once and whole, whoever asks at the same time and whatever is killed in between."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from estiva.environments import programs
from estiva.environments.explanations import disk_full
from estiva.errors import EnvironmentException

MARKER = "complete.json"

_WAIT_SECONDS = 0.1
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def is_complete(folder: Path, digest: str) -> bool:
    """Whether `folder` was made whole for `digest`: its marker says so."""
    try:
        said = json.loads((folder / MARKER).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and said.get("digest") == digest


def make_once(
    folder: Path,
    digest: str,
    make: Callable[[], None],
    *,
    on_line: programs.OnLine,
    cancelled: programs.Cancelled,
) -> None:
    """Has `make` fill `folder` unless that was done; one maker at a time, the others wait for it.

    Idempotent. What an earlier maker left half made is removed first, and so is what this one leaves when it
    fails; the marker is the last thing that is written.
    """
    if is_complete(folder, digest):
        return
    with translated(folder), exclusive(folder, on_line=on_line, cancelled=cancelled):
        if is_complete(folder, digest):
            return
        programs.end_orphans(str(folder))
        remove(folder)
        try:
            make()
            _mark(folder, digest)
        finally:
            if not is_complete(folder, digest):
                remove(folder)


@contextmanager
def exclusive(path: Path, *, on_line: programs.OnLine, cancelled: programs.Cancelled) -> Iterator[None]:
    """Holds the lock of `path` (a file beside it) among threads and processes; the wait for it is bounded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    if not _acquired(lock):
        on_line("Another deployment is making the same environment; waiting for it.")
        deadline = time.monotonic() + programs.build_timeout()
        while not _acquired(lock):
            programs.raise_if(cancelled)
            _raise_if_late(deadline)
    try:
        yield
    finally:
        lock.release()


def _acquired(lock: BaseFileLock) -> bool:
    try:
        lock.acquire(timeout=_WAIT_SECONDS)
    except Timeout:
        return False
    return True


@contextmanager
def translated(place: Path) -> Iterator[None]:
    """Errors of the operating system, a full disk above all, as EnvironmentExceptions."""
    try:
        yield
    except shutil.Error as error:  # of a copied tree; it keeps texts only
        raise _explain_texts(place, error) from error
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise disk_full(str(place.parent), detail=str(error)) from error
        raise EnvironmentException(
            f"The environment could not be written: {error}. Check the folder {place.parent}.",
            detail=repr(error),
        ) from error


def replace_text(path: Path, text: str) -> None:
    """Writes a file so that nobody ever reads half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _mark(folder: Path, digest: str) -> None:
    made_by = {"digest": digest, "estiva": version("estiva"), "uv": version("uv"), "time": time.time()}
    replace_text(folder / MARKER, json.dumps(made_by, indent=1))


def remove(folder: Path) -> None:
    """Absence is success."""
    # The marker goes first: a removal that is cut short must not leave a folder that looks whole.
    (folder / MARKER).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        shutil.rmtree(folder)  # says what is in the way


def _raise_if_late(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise EnvironmentException(
            "Another process has been making the same environment for too long; gave up waiting for it. "
            "See `estiva status` for what it does, or run `estiva down` and deploy again.",
            code="BuildTimeout",
        )


def _explain_texts(place: Path, error: shutil.Error) -> EnvironmentException:
    if os.strerror(errno.ENOSPC) in str(error):
        return disk_full(str(place.parent), detail=str(error))
    return EnvironmentException(f"The environment could not be written to {place}.", detail=str(error))
