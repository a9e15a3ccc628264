"""Which folders of environments nothing needs any more, and how they go."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from estiva.environments import server
from estiva.environments.folders import remove

_NEVER = ("locks", server.BUNDLES)  # what registered versions name


@dataclass(frozen=True)
class Leftover:
    """A folder that may go."""

    path: Path
    kind: str
    """ "environment", "scoring server" or "uv"."""
    size: int
    """Bytes that come free; files that uv's or conda's cache has too stay there."""


def leftovers(root: Path, used: Collection[str]) -> list[Leftover]:
    """All below `root` but the environments whose digests are in `used`, what runs, and what those need."""
    running = set(_running(root))
    folders = [path for path in _folders(root) if path.name not in _NEVER]
    environments = [path for path in folders if not path.name.startswith(("server-", "uv-"))]
    kept = [path for path in environments if path.name in used or path.name in running]
    needed = {path.name for path in kept} | set(_servers_of(kept))
    if running:  # what runs may have loaded an older server than its environment has now
        needed |= {path.name for path in folders if path.name.startswith("server-")}
    needed |= {path.name for path in folders if path.name.startswith(f"uv-{version('uv')}-")}
    return [Leftover(path, _kind(path), _size(path)) for path in folders if path.name not in needed]


def free(leftover: Leftover) -> bool:
    """Removes it, unless somebody is making it just now; says whether it went. Idempotent."""
    lock = FileLock(leftover.path.with_name(f"{leftover.path.name}.lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    try:
        remove(leftover.path)
    finally:
        lock.release()
    return True


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def _running(root: Path) -> Iterator[str]:
    """Names of the environments that any process of this machine was started from."""
    for process in psutil.process_iter(["cmdline"]):
        for word in (process.info["cmdline"] or [])[:1]:
            path = Path(word)
            if root in path.parents:
                yield path.relative_to(root).parts[0]


def _servers_of(environments: Iterable[Path]) -> Iterator[str]:
    for path in environments:
        folder = server.attached(path)
        if folder is not None:
            yield folder.name


def _kind(path: Path) -> str:
    prefix = path.name.split("-")[0]
    return {"server": "scoring server", "uv": "uv"}.get(prefix, "environment")


def _size(path: Path) -> int:
    total = 0
    for folder, _, files in os.walk(path):
        for file in files:
            status = Path(folder, file).lstat()
            total += status.st_size if status.st_nlink == 1 else 0
    return total
