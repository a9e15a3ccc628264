"""What an environment needs to be built on another machine: in an image."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote, urlsplit

from uv import find_uv_bin

from estiva.environments import interpreters, locks, programs, uv
from estiva.environments.explanations import explain
from estiva.environments.folders import make_once
from estiva.environments.pip_settings import configuration_files, pip_settings, uv_variables
from estiva.environments.platforms import platform_named
from estiva.errors import EnvironmentException
from estiva.records import Lock

_TARGETS = {"amd64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_OWN = re.compile(r"estiva(-server)?(==| @ )", re.IGNORECASE)
_NEWEST_MINOR = 14


@dataclass(frozen=True)
class Shipment:
    """Requirements that need nothing of this machine but the files that go along."""

    python: str
    """ "3.11"."""
    requirements: str
    hashed: bool
    files: tuple[tuple[str, Path], ...]
    """Name in the folder of wheels, and path here."""
    notices: tuple[str, ...]


def series_of(wanted: str | None, default: str) -> str:
    """ "3.11" for what a specification asks for; the series of the interpreter `default` if that fits."""
    own = interpreters.inspect(default)
    minors = [int(own.version.split(".")[1])] if own else []
    minors += range(_NEWEST_MINOR, interpreters.OLDEST.minor - 1, -1)
    if wanted and re.fullmatch(r"\d+\.\d+(\.\d+)?", wanted):
        return ".".join(wanted.split(".")[:2])
    fitting = (minor for minor in minors if not wanted or interpreters.matches(wanted, f"3.{minor}.30"))
    found = next(fitting, None)
    if found is None:
        raise EnvironmentException(
            f"No Python that the scoring server runs on is {wanted}. Ask for python>={interpreters.OLDEST}.",
            code="PythonTooOld",
        )
    return f"3.{found}"


def interpreter_for(series: str, default: str, machine: str) -> interpreters.Interpreter:
    """Python `series` on a Linux machine, for resolving here."""
    if machine not in _TARGETS:
        raise EnvironmentException(
            f"Images are built for {' and '.join(_TARGETS)}, not for {machine}. Choose another platform.",
            code="PlatformUnknown",
        )
    if int(series.split(".")[1]) < interpreters.OLDEST.minor:
        raise EnvironmentException(
            f"The environment asks for Python {series}, but the scoring server needs Python "
            f"{interpreters.OLDEST} or newer. Ask for python={interpreters.OLDEST} or newer.",
            code="PythonTooOld",
        )
    return platform_named(f"linux/{machine}").interpreter(series, default)


def ship(lock: Lock, series: str, wheels: str) -> Shipment:
    """The lock with what it names on this machine taken along; `wheels`: where that will lie."""
    if lock.borrowed:
        pinned = [line for line in locks.packages(lock) if not _OWN.match(line)]
        return Shipment(series, "".join(f"{line}\n" for line in pinned), False, (), lock.notices)
    files = dict(_named_files(lock.requirements))
    files |= {path.name: path for path in _found_wheels(lock.requirements)}
    text = _without_folders(lock.requirements)
    for name, path in files.items():
        text = re.sub(rf"file://\S*{re.escape(path.name)}", f"file://{wheels}/{name}", text)
    links = f"--find-links {wheels}\n" if files else ""
    hashed = " @ git+" not in text
    return Shipment(series, links + text if text.strip() else "", hashed, tuple(files.items()), lock.notices)


def _named_files(requirements: str) -> Iterator[tuple[str, Path]]:
    for url in re.findall(r"file://\S+", requirements):
        path = Path(unquote(urlsplit(url).path))
        if path.is_file():
            yield path.name, path


def _found_wheels(requirements: str) -> Iterator[Path]:
    """The files in folders of this machine that the lock allows."""
    allowed = set(re.findall(r"sha256:([0-9a-f]{64})", requirements))
    for folder in _folders(requirements):
        for path in sorted(folder.iterdir()):
            if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() in allowed:
                yield path


def _folders(requirements: str) -> list[Path]:
    named = re.findall(r"^(?:--find-links|-f)[ =](\S+)$", requirements, re.MULTILINE)
    named += _variables().get("UV_FIND_LINKS", "").split(",")
    paths = (Path(each.removeprefix("file://")) for each in named if each)
    return [path for path in paths if path.is_dir()]


def _without_folders(requirements: str) -> str:
    lines = requirements.splitlines(keepends=True)
    local = re.compile(r"(?:--find-links|-f)[ =](?:file://)?/")
    return "".join(line for line in lines if not local.match(line))


# --- what else a build needs of this machine ---------------------------------------------------------------


def build_settings() -> dict[str, str]:
    """The package index and the like, as uv's variables: pip's settings of this machine, or uv's own."""
    return {name: value for name, value in _variables().items() if name != "UV_FIND_LINKS"}


def certificates() -> Path | None:
    """The file of CA certificates that this machine is told to trust."""
    said = _variables().get("SSL_CERT_FILE")
    return Path(said) if said and Path(said).is_file() else None


def _variables() -> dict[str, str]:
    own: Mapping[str, str] = os.environ
    said = {name: value for name, value in own.items() if name.startswith(("UV_", "SSL_CERT_")) and value}
    return {**said, **uv_variables(pip_settings(own, configuration_files(own)), own)}


def own_machine() -> str:
    """This machine's kind of processor, as engines call it."""
    return _MACHINES.get(platform.machine(), platform.machine())


def uv_for(machine: str, *, root: Path, on_line: programs.OnLine, cancelled: programs.Cancelled) -> Path:
    """This machine's own uv where that will run, else one from the package index."""
    if sys.platform == "linux" and own_machine() == machine:
        return Path(find_uv_bin())
    folder = root / f"uv-{version('uv')}-{machine}"

    def make() -> None:
        wanted = ["--target", str(folder), "--python-platform", _TARGETS[machine], "--no-deps"]
        outcome = uv.run(
            ["pip", "install", *wanted, f"uv=={version('uv')}"], on_line=on_line, cancelled=cancelled
        )
        if outcome.failed:
            raise explain(outcome.stderr)

    make_once(folder, folder.name, make, on_line=on_line, cancelled=cancelled)
    return folder / "bin" / "uv"
