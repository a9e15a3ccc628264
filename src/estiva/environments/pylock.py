"""A lock as a pylock.toml, the standard format; what that has no words for is in `tool.estiva`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from estiva.environments import programs, uv
from estiva.environments.explanations import explain
from estiva.errors import EnvironmentException
from estiva.records import Lock

_HEAD = 'lock-version = "1.0"\ncreated-by = "estiva"\npackages = []\n'


def to_pylock(lock: Lock, *, on_line: programs.OnLine, cancelled: programs.Cancelled) -> str:
    """Every file of every package with its address and hash, credentials masked."""
    if lock.borrowed or not (lock.requirements or lock.conda):
        raise EnvironmentException("There are no locked packages to write down.", code="LockEmpty")
    packages = _of_the_index(lock, on_line, cancelled) if lock.requirements else _HEAD
    return "\n".join([packages, *_conda_tables(lock)]) if lock.conda else packages


def _of_the_index(lock: Lock, on_line: programs.OnLine, cancelled: programs.Cancelled) -> str:
    with tempfile.TemporaryDirectory(prefix="estiva-lock-") as folder:
        asked = Path(folder) / "requirements.txt"
        asked.write_text(lock.requirements, encoding="utf-8")
        arguments = ["--format", "pylock.toml", "--no-deps", "--no-header", "--python-version"]
        outcome = uv.run(
            ["pip", "compile", str(asked), *arguments, lock.python_version],
            on_line=on_line,
            cancelled=cancelled,
        )
    if outcome.failed:
        raise explain(outcome.stderr)
    return outcome.stdout


def _conda_tables(lock: Lock) -> Iterator[str]:
    for package in lock.conda:
        said = {
            "name": package.name,
            "version": package.version,
            "build": package.build,
            "url": programs.mask(package.url),
            "sha256": package.sha256,
        }
        # a JSON text is a TOML text too
        yield "\n".join(
            ["[[tool.estiva.conda]]", *(f"{key} = {json.dumps(text)}" for key, text in said.items())]
        )
        yield ""
