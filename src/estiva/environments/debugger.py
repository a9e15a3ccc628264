"""debugpy beside the packages of an environment, for services in debug mode. It is no part of the lock."""

from __future__ import annotations

from pathlib import Path

from estiva.environments import programs, uv
from estiva.environments.explanations import explain
from estiva.environments.folders import make_once

REQUIREMENT = "debugpy>=1.8,<2"


def folder_of(python: str) -> Path:
    """Where the environment of that interpreter has it, unless it is among its packages."""
    return Path(python).parents[1] / "debugger"


def install(python: str, *, on_line: programs.OnLine, cancelled: programs.Cancelled) -> None:
    """Idempotent. EnvironmentException as for any package."""
    folder = folder_of(python)

    def make() -> None:
        on_line("Installing debugpy.")
        target = ["--target", str(folder), "--python", python]
        outcome = uv.run(["pip", "install", *target, REQUIREMENT], on_line=on_line, cancelled=cancelled)
        if outcome.failed:
            raise explain(outcome.stderr)

    make_once(folder, REQUIREMENT, make, on_line=on_line, cancelled=cancelled)
