"""A build context as a tar, or as a folder. The same files give the same bytes, whatever their times."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from estiva.images.records import ContextFile

DOCKERFILE = "Dockerfile"

_TIME = 315532800  # 1980: the oldest that a zip can hold, which user code may make of its files


def write_tar(
    target: IO[bytes], dockerfile: str, files: Iterable[ContextFile], directories: Iterable[str]
) -> None:
    """Writes the context; OSError if a source cannot be read."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, DOCKERFILE, dockerfile.encode(), 0o644)
        for path in sorted(set(directories)):
            entry = _entry(path, 0o755)
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        for file in sorted(files, key=lambda each: each.path):
            mode = 0o755 if file.executable else 0o644
            if file.text is not None:
                _add(archive, file.path, file.text.encode(), mode)
            else:
                _add_source(archive, file, mode)


def _add(archive: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    entry = _entry(path, mode)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _add_source(archive: tarfile.TarFile, file: ContextFile, mode: int) -> None:
    with Path(file.source or "").open("rb") as source:
        entry = _entry(file.path, mode)
        entry.size = source.seek(0, io.SEEK_END)
        source.seek(0)
        archive.addfile(entry, source)


def _entry(path: str, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.mode, entry.mtime = mode, _TIME
    return entry


def write_folder(
    folder: Path, dockerfile: str, files: Iterable[ContextFile], directories: Iterable[str]
) -> None:
    """The same as files in a folder, which is made; OSError if it cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DOCKERFILE).write_text(dockerfile, encoding="utf-8")
    for path in directories:
        (folder / path).mkdir(parents=True, exist_ok=True)
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.text is not None:
            target.write_text(file.text, encoding="utf-8")
        else:
            shutil.copyfile(file.source or "", target)
        target.chmod(0o755 if file.executable else 0o644)
