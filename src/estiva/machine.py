"""What of this machine may be used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil


class Machine(NamedTuple):
    """What may be used of it: less than it has, in a container or a slice that is limited."""

    cpus: float
    memory: int


def machine(root: Path = Path("/")) -> Machine:
    """`root` is where the kernel's files are."""
    cpus: list[float] = [len(psutil.Process().cpu_affinity()) if psutil.LINUX else os.cpu_count() or 1]
    memory = [psutil.virtual_memory().total]
    for group in _groups(root):
        cpus += _quota(group)
        memory += [int(text) for text in _words(group / "memory.max") if text.isdecimal()]
        memory += [int(text) for text in _words(group / "memory.limit_in_bytes")]
    return Machine(float(min(cpus)), min(memory))


def _groups(root: Path) -> Iterator[Path]:
    """The folders of the control groups that this process is in, and of those around them."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        mounted = root / "sys/fs/cgroup" / controllers
        for part in (Path(path), *Path(path).parents):
            yield mounted / part.relative_to("/")


def _quota(group: Path) -> list[float]:
    """CPUs that the group may use: version 2 has quota and period in one file, version 1 in two."""
    words = _words(group / "cpu.max") or [
        *_words(group / "cpu.cfs_quota_us"),
        *_words(group / "cpu.cfs_period_us"),
    ]
    if len(words) != 2 or not words[0].isdecimal():  # "max" and "-1": no limit
        return []
    return [int(words[0]) / int(words[1])]


def _words(file: Path) -> list[str]:
    return " ".join(_lines(file)).split()


def _lines(file: Path) -> list[str]:
    with suppress(OSError):
        return file.read_text().splitlines()
    return []
