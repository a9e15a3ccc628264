"""How many replicas of a service this machine has room for."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from estiva.records import Scaling, ServiceSettings

RESERVED_CPUS = 0.1
RESERVED_BYTES = 500_000_000
"""What SDK v1 documents for a service that does not say what its replicas need."""
_GB = 1000**3


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
    return Machine(min(cpus), min(memory))


def room(settings: ServiceSettings, here: Machine) -> int:
    """So many replicas at most: as many as have what they reserve, and one in any case."""
    cpus = here.cpus / (settings.cpu_reserved or RESERVED_CPUS)
    memory = here.memory / (settings.memory_reserved or RESERVED_BYTES)
    return max(1, math.floor(round(min(cpus, memory), 9)))


def capped(scaling: Scaling, settings: ServiceSettings, here: Machine) -> Scaling:
    """The scaling as this machine allows it, and a sentence if that is less than was asked for."""
    most = room(settings, here)
    asked = scaling.autoscale.max_replicas if scaling.autoscale else scaling.replicas
    if asked <= most:
        return scaling.model_copy(update={"limit": ""})
    limit = (
        f"At most {most} of {asked} replicas: this machine has {here.cpus:g} CPUs and "
        f"{here.memory / _GB:.1f} GB, and {_each(settings)}."
    )
    return scaling.model_copy(update={"replicas": min(scaling.replicas, most), "limit": limit})


def _each(settings: ServiceSettings) -> str:
    cpus, memory = settings.cpu_reserved, settings.memory_reserved
    amount = f"{cpus or RESERVED_CPUS:g} CPUs and {(memory or RESERVED_BYTES) / _GB:g} GB"
    if cpus is None and memory is None:
        return f"a replica that does not say what it needs is taken to need {amount}"
    return f"each replica reserves {amount}"


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
