"""Environments with the real libraries of models, made once and kept in pytest's cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from filelock import FileLock

_BUILD_SECONDS = 900
_RUN_SECONDS = 100


class Library:
    """An environment that has some packages, and what the scoring server needs."""

    def __init__(self, folder: Path) -> None:
        self.python = str(folder / "bin/python")

    def run(self, program: str, *arguments: str | Path) -> None:
        """A program in that environment: one that makes a model. Its warnings are no errors here."""
        done = subprocess.run(
            [self.python, "-c", program, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def library(config: pytest.Config, *packages: str) -> Library:
    """Makes it unless that was done; another process that makes the same is waited for."""
    wanted = [*packages, *(each for each in requires("estiva-server") or [] if "extra" not in each)]
    key = hashlib.sha256("\0".join([sys.version, *wanted]).encode()).hexdigest()[:12]
    cache = config.cache
    assert cache is not None
    folder = cache.mkdir("libraries") / f"{packages[0]}-{key}"
    with FileLock(f"{folder}.lock", timeout=_BUILD_SECONDS):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _uv("venv", "--python", sys.executable, str(folder))
            _uv("pip", "install", "--python", str(folder / "bin/python"), *wanted)
            (folder / "complete").touch()
    return Library(folder)


def _uv(*arguments: str) -> None:
    command = [sys.executable, "-m", "uv", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
