"""debugpy beside the packages of a built environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from estiva.environments import Environments, debugger
from tests.environments.conftest import Wheels


def never() -> bool:
    return False


def test_it_is_beside_the_packages_and_not_among_them(environments: Environments, wheels: Wheels) -> None:
    wheels.make("empty", "1.0")
    lines: list[str] = []
    lock = environments.lock(wheels.specification("empty"), sys.executable, lines.append, never)
    python = environments.build(lock, lines.append, never)

    for _ in range(2):
        environments.add_debugger(lock, lines.append, never)

    assert lines.count("Installing debugpy.") == 1
    look = (
        f"import sys; sys.path.append({str(debugger.folder_of(python))!r}); import debugpy, empty; print(1)"
    )
    assert subprocess.run([python, "-c", look], capture_output=True, text=True, check=True).stdout == "1\n"
    assert subprocess.run([python, "-c", "import debugpy"], capture_output=True, check=False).returncode


def test_an_environment_that_has_it_is_left_alone(environments: Environments, wheels: Wheels) -> None:
    wheels.make("debugpy", "1.8.0")
    lock = environments.lock(wheels.specification("debugpy"), sys.executable, print, never)
    python = environments.build(lock, print, never)

    environments.add_debugger(lock, print, never)

    assert not Path(debugger.folder_of(python)).exists()
