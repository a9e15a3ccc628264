"""The one place that runs uv: with pip's settings, and without the caller's environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from uv import find_uv_bin

from estiva.environments import programs
from estiva.environments.offline import is_offline
from estiva.environments.pip_settings import configuration_files, pip_settings, uv_variables

# Of the caller's own Python and environment: they would change what uv does, or what a build backend imports.
_FOREIGN = (
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYTHONPATH",
    "PYTHONHOME",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_TARGET",
)


def run(
    arguments: Sequence[str],
    *,
    on_line: programs.OnLine = lambda _: None,
    cancelled: programs.Cancelled = lambda: False,
    seconds: float | None = None,
    cwd: Path | None = None,
) -> programs.Outcome:
    """Runs `uv ARGUMENTS`, as `programs.run` does."""
    return programs.run(
        [find_uv_bin(), *arguments],
        environ=_environment(),
        on_line=on_line,
        cancelled=cancelled,
        seconds=seconds,
        cwd=cwd,
    )


def without_foreign(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without those of an active environment."""
    return {name: value for name, value in environ.items() if name not in _FOREIGN}


def _environment() -> dict[str, str]:
    kept = without_foreign(os.environ)
    settings = pip_settings(kept, configuration_files(kept))
    fixed = {"UV_NO_PROGRESS": "1", "NO_COLOR": "1", "UV_PYTHON_DOWNLOADS": "never"}
    fixed |= {"UV_OFFLINE": "1"} if is_offline() else {}
    return {**kept, **uv_variables(settings, kept), **fixed}
