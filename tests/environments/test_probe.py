from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

from estiva.environments import probe


def test_it_describes_the_interpreter_below_the_virtual_environment(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    inside = subprocess.run(
        [tmp_path / "venv" / "bin" / "python", probe.__file__], check=True, capture_output=True
    )
    said = json.loads(inside.stdout)
    assert said == probe.describe()
    assert said["version"] == platform.python_version()
    assert not said["path"].startswith(str(tmp_path))


def test_it_lists_what_is_installed() -> None:
    said = probe.installed()
    assert said["packages"] == sorted(said["packages"], key=str.lower)
    assert any(package.startswith("pytest==") for package in said["packages"])
    assert all(Path(folder).is_dir() for folder in said["folders"])
    assert str(Path(sys.modules["pytest"].__file__ or "").parent.parent) in said["folders"]
