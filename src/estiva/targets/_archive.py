"""What is put into a container before it starts, and read from it: tars, as engines take and give them."""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from estiva.records import Mount
from estiva.targets._container import HISTORY_FILE, RUN_FOLDER, USER_ID, History
from estiva_server import contract

_MOST_BYTES = 1 << 20

_Content = TypeVar("_Content", History, contract.Status)


def write(target: IO[bytes], mounts: Iterable[Mount], texts: Mapping[str, str]) -> None:
    """Writes a tar for a container's root folder: the mounts below the app root, and the texts by their path.

    All of it belongs to the image's user. Files have the time of now, so that no bytecode that an image may
    have of an older one is taken for theirs. Raises OSError if a source cannot be read.
    """
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        _add_folder(archive, RUN_FOLDER)
        for mount in mounts:
            place = PurePosixPath(contract.APP_ROOT, mount.target)
            for parent in reversed([place, *place.parents]):
                if parent.is_relative_to(contract.APP_ROOT):
                    _add_folder(archive, str(parent), 0o755)
            _add_content(archive, Path(mount.source), place)
        for path, text in texts.items():
            _add_text(archive, path, text)


def _add_content(archive: tarfile.TarFile, source: Path, place: PurePosixPath) -> None:
    with os.scandir(source) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            target = place / entry.name
            if entry.is_symlink():
                link = _entry(str(target), 0o777)
                link.type, link.linkname = tarfile.SYMTYPE, str(Path(entry.path).readlink())
                archive.addfile(link)
            elif entry.is_dir():
                _add_folder(archive, str(target), 0o755)
                _add_content(archive, Path(entry.path), target)
            else:
                _add_file(archive, Path(entry.path), str(target))


def _add_file(archive: tarfile.TarFile, source: Path, place: str) -> None:
    with source.open("rb") as content:
        found = os.fstat(content.fileno())
        entry = _entry(place, 0o755 if found.st_mode & stat.S_IXUSR else 0o644)
        entry.size = found.st_size
        archive.addfile(entry, content)


def _add_folder(archive: tarfile.TarFile, path: str, mode: int = 0o700) -> None:
    entry = _entry(path, mode)
    entry.type = tarfile.DIRTYPE
    archive.addfile(entry)


def _add_text(archive: tarfile.TarFile, path: str, text: str) -> None:
    content = text.encode()
    entry = _entry(path, 0o600)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _entry(path: str, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.mode, entry.mtime, entry.uid, entry.gid = mode, int(time.time()), USER_ID, USER_ID
    return entry


def read(parts: Iterable[bytes]) -> tuple[contract.Status | None, History]:
    """What the files of a run folder say, which the engine gives as a tar.

    The script can write there too: no more than a bounded part is read, and what is no tar says nothing.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(_bounded(parts))) as archive:
            texts = dict(_texts(archive))
    except tarfile.TarError:
        texts = {}
    status = _parsed(texts.get(contract.STATUS_FILE), contract.Status)
    return status, _parsed(texts.get(HISTORY_FILE), History) or History()


def _bounded(parts: Iterable[bytes]) -> bytes:
    content = b""
    for part in parts:
        content += part
        if len(content) > _MOST_BYTES:
            break
    return content


def _texts(archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    for entry in archive:
        content = archive.extractfile(entry) if entry.isfile() else None
        if content is not None:
            yield PurePosixPath(entry.name).name, content.read().decode(errors="replace")


def _parsed(text: str | None, kind: type[_Content]) -> _Content | None:
    """Without what this release does not know; None if there is nothing, or half of it."""
    try:
        content = json.loads(text or "")
    except ValueError:
        return None
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in content.items() if name in known})
