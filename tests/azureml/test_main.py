from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
import neighbour
from azureml.core import VERSION
print(__name__, VERSION, neighbour.NAME, *sys.argv[1:])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "neighbour.py").write_text("NAME = 'beside'\n")
    return tmp_path


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "estiva.azureml", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_script_runs_as_python_would_run_it(folder: Path) -> None:
    assert run("script.py", "--rate", "2", cwd=folder).stdout == "__main__ 1.61.0 beside --rate 2\n"
    inside = folder / "elsewhere"
    inside.mkdir()
    assert run(str(folder / "script.py"), cwd=inside).stdout == "__main__ 1.61.0 beside\n"


def test_a_module_runs_as_python_would_run_it(folder: Path) -> None:
    assert run("-m", "script", "again", cwd=folder).stdout == "__main__ 1.61.0 beside again\n"


def test_the_exit_status_is_the_scripts(folder: Path) -> None:
    (folder / "ends.py").write_text("raise SystemExit(7)\n")
    assert run("ends.py", cwd=folder).returncode == 7


def test_usage(folder: Path) -> None:
    assert run("--help", cwd=folder).stdout.startswith("usage: python -m estiva.azureml")
    assert run(cwd=folder).returncode == 2
    missing = run("absent.py", cwd=folder)
    assert "there is no script absent.py" in missing.stderr
    assert missing.returncode == 1
