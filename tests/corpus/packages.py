"""Small packages on disk, each with one thing about it that environments fail for."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from tests.environments.conftest import Wheels

_BACKEND = """\
import subprocess

def build_wheel(*_arguments, **_options):
    subprocess.run(["x86_64-linux-gnu-nothing-gcc", "-c", "fast.c"], check=True)
"""
_INFORMATION = "Metadata-Version: 2.1\nName: needs-compiler\nVersion: 1.0\n"
_PROJECT = """\
[project]
name = "needs-compiler"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def make_packages(folder: Path) -> None:
    folder.mkdir()
    wheels = Wheels(folder)
    wheels.make("tiny", "1.0")
    wheels.make("tiny", "2.0")
    wheels.make("needs_old", "1.0", needs=("tiny<2",))
    wheels.make("needs_new", "1.0", needs=("tiny>=2",))
    wheels.make("windows_only", "1.0", tag="cp311-cp311-win_amd64")
    wheels.make("future_python", "1.0", python=">=3.99")
    _make_source(folder / "needs_compiler-1.0.tar.gz")


def _make_source(path: Path) -> None:
    """A package without a wheel, whose build looks for a compiler that nobody has."""
    files = {"pyproject.toml": _PROJECT, "backend.py": _BACKEND, "PKG-INFO": _INFORMATION}
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"needs_compiler-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
