"""Which interpreter an environment is made from: the one that the user runs, or another on this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from estiva.environments import probe, uv
from estiva.errors import EnvironmentException, UserErrorException

OLDEST = Version("3.10")
"""What the scoring server needs."""

_PROBE_SECONDS = 30
_LIST_SECONDS = 30
_known: dict[tuple[object, ...], Interpreter] = {}
_chosen: dict[str, str] = {}


@dataclass(frozen=True)
class Interpreter:
    path: str
    """The interpreter itself, below any virtual environment."""
    version: str
    """Full: "3.11.7"."""
    platform: str
    """Operating system, processor and ABI: environments of equal platform can share what is built."""
    target: str = ""
    """Another machine, as uv calls it, whose this would be."""
    elsewhere: bool = False
    """Whether it is not on this machine (yet); `path` is then one that serves to resolve."""


def find(python_version: str | None, default: str) -> Interpreter:
    """The interpreter for `python_version` ("3.11", "3.11.7", ">=3.9,<3.12").

    `default`, the one that the user runs, if it fits or any will do; else the newest on this machine that
    fits. A version to the patch prefers exactly that one, else the newest of its series.
    """
    if python_version:
        _check(python_version)
    own = inspect(default)
    if own and (not python_version or matches(python_version, own.version)):
        chosen = own
    elif not python_version:
        raise EnvironmentException(
            f"The interpreter {default} cannot be run. Was it removed? Deploy again from one that works.",
            code="PythonNotFound",
        )
    else:
        chosen = _search(python_version, own)
    if Version(chosen.version) < OLDEST:
        raise _refuse_old(chosen.version)
    return chosen


def matches(wanted: str, version: str) -> bool:
    """Whether "3.11.7" is what "3.11", "3.11.7" or ">=3.9,<3.12" asks for."""
    if wanted[0].isdigit():
        return f"{version}.".startswith(f"{wanted}.")
    return SpecifierSet(wanted).contains(version, prereleases=True)


def inspect(path: str) -> Interpreter | None:
    """The interpreter at `path`; None if it is none, cannot be run, or is not CPython. Asked once."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    key = (path, status.st_dev, status.st_ino, status.st_mtime_ns)
    if key not in _known:
        # This process can answer for itself, which saves starting an interpreter.
        said = probe.describe() if path == sys.executable else run_probe(path)
        if said.get("implementation") != "cpython":
            return None
        _known[key] = Interpreter(str(said["path"]), str(said["version"]), str(said["platform"]))
    return _known[key]


def run_probe(path: str, *arguments: str) -> dict[str, object]:
    """What `probe.py` says inside that interpreter; empty if it cannot be run."""
    isolated = [] if arguments else ["-I"]
    try:
        done = subprocess.run(
            [path, *isolated, probe.__file__, *arguments],
            capture_output=True,
            timeout=_PROBE_SECONDS,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            check=True,
        )
        said = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def installed() -> tuple[Interpreter, ...]:
    """The interpreters that this machine has, the newest first."""
    return _inspected([*_in_known_places(), *_listed_by_uv()])


def _search(wanted: str, own: Interpreter | None) -> Interpreter:
    earlier = inspect(_chosen[wanted]) if wanted in _chosen else None
    if earlier and matches(wanted, earlier.version):
        return earlier
    near = [*([own] if own else []), *_inspected(_in_known_places())]
    known = near if _fitting(wanted, near) else [*near, *_inspected(_listed_by_uv())]
    series = ".".join(wanted.split(".")[:2]) if wanted[0].isdigit() else wanted
    fitting = _fitting(wanted, known) or _fitting(series, known)
    if not fitting:
        raise _refuse_missing(wanted, known)
    _chosen[wanted] = fitting[0].path
    return fitting[0]


def _fitting(wanted: str, known: list[Interpreter]) -> list[Interpreter]:
    return [each for each in known if matches(wanted, each.version)]


def _inspected(paths: Iterable[str]) -> tuple[Interpreter, ...]:
    found = {interpreter.path: interpreter for interpreter in map(inspect, paths) if interpreter}
    return tuple(sorted(found.values(), key=lambda each: Version(each.version), reverse=True))


def _in_known_places() -> Iterator[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob("versions/*/bin/python")))
    for folder in map(Path, os.environ.get("PATH", "").split(os.pathsep)):
        if folder != pyenv / "shims":  # they lead to the versions above, or nowhere
            yield from _named_python(folder)


def _named_python(folder: Path) -> list[str]:
    try:
        names = sorted(
            entry.name for entry in folder.iterdir() if re.fullmatch(r"python3(\.\d+)?", entry.name)
        )
    except OSError:
        return []
    return [str(folder / name) for name in names]


def _listed_by_uv() -> list[str]:
    arguments = ["python", "list", "--only-installed", "--offline", "--output-format", "json"]
    outcome = uv.run(arguments, seconds=_LIST_SECONDS)
    try:
        return [str(entry["path"]) for entry in json.loads(outcome.stdout or "[]") if entry.get("path")]
    except ValueError:
        return []


def _check(wanted: str) -> None:
    """Refuses what is no version, and what excludes every version that could serve."""
    if re.fullmatch(r"\d+(\.\d+){0,2}", wanted):
        too_old = "." in wanted and Version(wanted) < OLDEST
    else:
        usable = (f"3.{minor}.{patch}" for minor in range(OLDEST.minor, 30) for patch in range(30))
        too_old = not any(True for _ in _specifiers(wanted).filter(usable))
    if too_old:
        raise _refuse_old(wanted)


def _specifiers(wanted: str) -> SpecifierSet:
    try:
        return SpecifierSet(wanted)
    except InvalidSpecifier:
        raise UserErrorException(
            f'"{wanted}" is not a Python version; write one like 3.11, or a range like >=3.10,<3.13.'
        ) from None


def _refuse_old(version: str) -> EnvironmentException:
    return EnvironmentException(
        f"The environment asks for Python {version}, but the scoring server needs Python {OLDEST} or newer. "
        f"Ask for python={OLDEST} or newer in the environment.",
        code="PythonTooOld",
    )


def _refuse_missing(wanted: str, known: list[Interpreter]) -> EnvironmentException:
    usable = [each for each in known if Version(each.version) >= OLDEST]
    listed = ", ".join(f"{each.version} ({each.path})" for each in dict.fromkeys(usable)) or "none"
    return EnvironmentException(
        f"The environment asks for Python {wanted}, which is not on this machine. Found: {listed}. "
        f"Install it (for example `uv python install {wanted}`), or ask for a version that is there.",
        code="PythonNotFound",
    )
