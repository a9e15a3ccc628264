"""The scripts say what is missing, and refuse what they do not know, before they do anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / script, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """An executable; what it does is up to the test."""
    program = tmp_path / "python-stand-in"
    program.touch(mode=0o755)
    return program


def test_without_a_recent_python_it_says_which_are_needed(stand_in: Path, tmp_path: Path) -> None:
    stand_in.write_text("#!/bin/sh\nexit 1\n")
    ended = run("check", ESTIVA_PYTHON=str(stand_in), ESTIVA_CACHE=str(tmp_path))
    assert ended.returncode == 1
    assert "needs Python 3.10 or newer" in ended.stderr
    assert str(stand_in) in ended.stderr


def test_without_ensurepip_it_names_the_package_to_install(stand_in: Path, tmp_path: Path) -> None:
    python = shutil.which("python3")
    stand_in.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec {python} "$@"\n')
    ended = run("test", ESTIVA_PYTHON=str(stand_in), ESTIVA_CACHE=str(tmp_path))
    assert ended.returncode == 1
    assert "apt-get install python3-venv" in ended.stderr


def test_an_environment_that_is_complete_is_used_as_it_is(stand_in: Path, tmp_path: Path) -> None:
    # The only key that a stand-in can have is the one it says; then nothing may be installed.
    stand_in.write_text('#!/bin/sh\nif [ "$1" = - ]; then echo key; fi\n')
    programs = tmp_path / "dev-key" / "bin"
    programs.mkdir(parents=True)
    (programs.parent / "complete").write_text("key\n")
    for name, status in {"ruff": 0, "mypy": 1, "lint-imports": 1}.items():
        (programs / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (programs / name).chmod(0o755)
    ended = run("check", ESTIVA_PYTHON=str(stand_in), ESTIVA_CACHE=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.strip() == "Failed: types layers"


def test_check_names_the_checks_that_there_are() -> None:
    ended = run("check", "speling")
    assert ended.returncode == 1
    assert ended.stderr.strip() == "No check is called speling: lint, format, types, layers."


def test_bench_lists_each_program_with_what_it_measures() -> None:
    listed = {line.split()[0]: line.split()[1:] for line in run("bench", "--list").stdout.splitlines()}
    assert listed.keys() == {program.stem for program in (ROOT / "benchmarks").glob("*.py")}
    assert all(listed.values())


def test_bench_refuses_a_name_it_does_not_know() -> None:
    ended = run("bench", "nothing")
    assert ended.returncode == 1
    assert "There is no benchmark nothing" in ended.stderr
