"""The scoring server beside the user's packages, without touching their lock.

A folder of its own per Python version holds the server and its dependency. Each environment has a `.pth` file
that adds this folder behind everything else, so that the user's packages win, and installs the import hook of
the stand-ins. The server itself is always the one in that folder, even where the user has another.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

from estiva.environments import programs, uv
from estiva.environments.explanations import explain
from estiva.environments.folders import is_complete, make_once, replace_text
from estiva.records import Lock

PTH = "estiva_server.pth"
BUNDLES = "bundles"
"""Where bundles are unpacked, among the environments."""
_PACKAGE = "estiva_server"


@dataclass(frozen=True)
class ServerFolder:
    """Where the server for one Python version is, or will be."""

    path: Path
    digest: str
    """Of the server's files, its dependencies, and what it is installed for."""
    source: Path
    wheels: tuple[Path, ...] = ()
    """Folders that may have what the server depends on."""

    @classmethod
    def of(cls, lock: Lock, *, root: Path, source: Path) -> ServerFolder:
        digest = _digest(lock, source)
        tag = "".join(lock.python_version.split(".")[:2])
        wheels = tuple(sorted(root.glob(f"{BUNDLES}/*/server")))
        return cls(root / f"server-{digest[:16]}-cp{tag}", digest, source, wheels)

    def is_attached(self, venv: Path) -> bool:
        """Whether this server is whole, and the environment in `venv` finds it."""
        try:
            attached = _pth(venv).read_text(encoding="utf-8") == self._pth_text()
        except OSError:
            return False
        return attached and is_complete(self.path, self.digest)

    def make(self, python: str, *, on_line: programs.OnLine, cancelled: programs.Cancelled) -> None:
        """Makes the folder unless it is there; `python`: an interpreter that it is for. Idempotent."""

        def make() -> None:
            on_line("Installing the scoring server.")
            self._install(python, on_line, cancelled)

        make_once(self.path, self.digest, make, on_line=on_line, cancelled=cancelled)

    def attach(self, venv: Path) -> None:
        """Points the environment at the folder. Idempotent.

        What runs in the environment keeps what it has loaded; its next start finds this server.
        """
        if not self.is_attached(venv):
            replace_text(_pth(venv), self._pth_text())

    def _install(self, python: str, on_line: programs.OnLine, cancelled: programs.Cancelled) -> None:
        shutil.copytree(self.source, self.path / _PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
        target = ["--target", str(self.path), "--python", python, "--compile-bytecode"]

        def install(*options: str) -> programs.Outcome:
            command = ["pip", "install", *target, *options, *dependencies()]
            return uv.run(command, on_line=on_line, cancelled=cancelled)

        if self.wheels and not install("--no-index", *self._links()).failed:
            return  # without asking the index, which may be out of reach
        outcome = install()
        if outcome.failed:
            raise explain(outcome.stderr)

    def _links(self) -> list[str]:
        return [word for folder in self.wheels for word in ("--find-links", str(folder))]

    def _pth_text(self) -> str:
        return pth_text(str(self.path))


def pth_text(folder: str) -> str:
    """The `.pth` file that makes an environment find the server in `folder`."""
    # The package is imported with its folder in front, so that a borrowed environment that has another
    # release of the server does not mix the two; everything else keeps the order of sys.path.
    return (
        f"{folder}\nimport sys; sys.path.insert(0, {folder!r}); import {_PACKAGE}.shims; "
        f"sys.path.remove({folder!r}); {_PACKAGE}.shims.install()\n"
    )


def source_files(source: Path) -> list[tuple[str, Path]]:
    """The files of the server's package below `source`: place in the server's folder, and path."""
    found = (path for path in sorted(source.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return [(f"{_PACKAGE}/{path.relative_to(source).as_posix()}", path) for path in found]


def attached(venv: Path) -> Path | None:
    """The folder of the server that the environment finds; None if it finds none."""
    try:
        return Path(_pth(venv).read_text(encoding="utf-8").splitlines()[0])
    except (OSError, IndexError):
        return None


def site_packages(venv: Path) -> Path:
    """The environment's own folder of packages."""
    return next(iter(venv.glob("lib/python*/site-packages")), venv / "lib")


def _pth(venv: Path) -> Path:
    return site_packages(venv) / PTH


@lru_cache(maxsize=1)
def dependencies() -> tuple[str, ...]:
    """The requirements of the installed `estiva-server` distribution."""
    stated = map(Requirement, requires("estiva-server") or [])
    return tuple(str(each) for each in stated if each.marker is None or each.marker.evaluate({"extra": ""}))


def _digest(lock: Lock, source: Path) -> str:
    whole = hashlib.sha256(json.dumps([dependencies(), lock.python_version, lock.platform]).encode())
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            whole.update(f"{path.relative_to(source)}\0{len(content)}\0".encode())
            whole.update(content)
    return whole.hexdigest()
