"""The packages in a lock, and how two locks differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from estiva.records import CondaPackage, Lock
from estiva.specification.pip import split_hashes

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?:==|@)\s*(?P<version>\S+)")


@dataclass(frozen=True)
class LockedPackage:
    name: str
    """Canonical."""
    version: str
    """With its build, "1.26.4=py311_0", of a conda package; or the URL that it comes from."""
    hashes: frozenset[str]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def locked_packages(lock: Lock) -> dict[str, LockedPackage]:
    """The packages of a lock by their canonical names; what pip installs hides what conda does."""
    found = [*map(_conda_package, lock.conda), *_packages(lock.requirements)]
    return {package.name: package for package in found}


def differences(before: Lock, after: Lock) -> tuple[str, ...]:
    """What is another in `after`, one line each: "numpy 1.26.4 -> 2.0.0", "+ six 1.16.0", "- idna 3.6"."""
    old, new = locked_packages(before), locked_packages(after)
    names = sorted(old.keys() | new.keys())
    lines = (_difference(old.get(name), new.get(name)) for name in names)
    return (*_python_difference(before, after), *(line for line in lines if line))


def _conda_package(package: CondaPackage) -> LockedPackage:
    version = f"{package.version}={package.build}"
    return LockedPackage(canonicalize_name(package.name), version, frozenset({f"sha256:{package.sha256}"}))


def _packages(requirements: str) -> Iterator[LockedPackage]:
    for block in re.split(r"\n(?=\S)", requirements.replace("\\\n", " ")):
        requirement, hashes = split_hashes(block)
        match = _PINNED.match(requirement)
        if match:
            yield LockedPackage(canonicalize_name(match["name"]), match["version"], frozenset(hashes))


def _difference(old: LockedPackage | None, new: LockedPackage | None) -> str:
    if old is None or new is None:
        return f"+ {new}" if new else f"- {old}"
    if old.version != new.version:
        return f"{old} -> {new.version}"
    return "" if old.hashes == new.hashes else f"{new}: other files of the same version"


def _python_difference(before: Lock, after: Lock) -> list[str]:
    lines = []
    if before.python_version != after.python_version:
        lines.append(f"python {before.python_version} -> {after.python_version}")
    if before.platform != after.platform:
        lines.append(f"platform {before.platform} -> {after.platform}")
    return lines
