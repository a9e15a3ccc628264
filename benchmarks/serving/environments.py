"""A virtual environment for each server that is measured, made with uv and kept."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_UV = Path(sys.executable).with_name("uv")
_SECONDS = 600.0


class InstallError(Exception):
    """Why the packages could not be installed, in the installer's words."""


def environment(name: str, packages: Sequence[str]) -> Path:
    """The folder of the environment's programs; made when it is missing. Raises InstallError."""
    key = hashlib.sha256("\0".join([sys.version, str(ROOT), *packages]).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("ESTIVA_CACHE") or ROOT / ".venv") / f"bench-{name}-{key}"
    complete = folder / "complete"
    if not complete.exists():
        print(f"Installing {' '.join(packages)}", file=sys.stderr)
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--python", str(folder / "bin" / "python"), *packages)
        complete.touch()
    return folder / "bin"


def version(programs: Path, distribution: str) -> str:
    question = f"from importlib.metadata import version; print(version({distribution!r}))"
    command = [str(programs / "python"), "-c", question]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def _uv(*arguments: str) -> None:
    try:
        done = subprocess.run(
            [_UV, "--quiet", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InstallError(f"uv did not end within {_SECONDS:g} s") from error
    if done.returncode:
        raise InstallError(" ".join(done.stderr.split())[:300])
