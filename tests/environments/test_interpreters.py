from __future__ import annotations

import os
import platform
import stat
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from estiva.environments import interpreters
from estiva.environments.interpreters import OLDEST, Interpreter, find, inspect, matches
from estiva.errors import EnvironmentException, UserErrorException

SERIES = ".".join(platform.python_version_tuple()[:2])


def another() -> Interpreter:
    """A usable interpreter of this machine that is of another series than the running one."""
    for found in interpreters.installed():
        if not matches(SERIES, found.version) and Version(found.version) >= OLDEST:
            return found
    pytest.skip("needs a second Python on this machine")


@pytest.mark.parametrize("wanted", [None, SERIES, platform.python_version(), f">={SERIES},<4", "3"])
def test_the_interpreter_that_the_user_runs_is_taken_when_it_fits(wanted: str | None) -> None:
    found = find(wanted, sys.executable)
    assert found.version == platform.python_version()
    assert found.path == os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def test_another_one_is_found_on_the_machine() -> None:
    other = another()
    series = ".".join(other.version.split(".")[:2])
    assert find(series, sys.executable).version.startswith(f"{series}.")
    assert find(other.version, sys.executable).version == other.version


def test_of_a_series_the_newest_serves_for_a_patch_that_is_not_there() -> None:
    assert find(f"{SERIES}.99", sys.executable).version.startswith(f"{SERIES}.")


def test_what_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(EnvironmentException) as caught:
        find("3.99", sys.executable)
    assert caught.value.code == "PythonNotFound"
    assert "asks for Python 3.99, which is not on this machine. Found: " in caught.value.message
    assert f"{platform.python_version()} (/" in caught.value.message
    assert "`uv python install 3.99`" in caught.value.message


@pytest.mark.parametrize("wanted", ["3.8", "3.8.13", "2.7", "<3.10", ">=3.6,<3.9"])
def test_what_the_server_cannot_run_in_is_refused(wanted: str) -> None:
    with pytest.raises(
        EnvironmentException, match=r"the scoring server needs Python 3\.10 or newer"
    ) as caught:
        find(wanted, sys.executable)
    assert caught.value.code == "PythonTooOld"


@pytest.mark.parametrize("wanted", ["three", "3.x", ">=three"])
def test_what_is_no_version_is_refused(wanted: str) -> None:
    with pytest.raises(UserErrorException, match="is not a Python version"):
        find(wanted, sys.executable)


def test_an_interpreter_that_was_removed_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentException, match=r"cannot be run\. Was it removed") as caught:
        find(None, str(tmp_path / "python"))
    assert caught.value.code == "PythonNotFound"


def test_a_broken_shim_on_the_path_is_overlooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert inspect(str(shim)) is None
    with pytest.raises(EnvironmentException, match=r"Python 3\.99, which is not on this machine"):
        find("3.99", sys.executable)


def test_an_interpreter_only_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = another()
    monkeypatch.setattr(interpreters, "_chosen", {})
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "no-pyenv"))
    series = ".".join(other.version.split(".")[:2])
    (tmp_path / f"python{series}").symlink_to(other.path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find(series, sys.executable).path == other.path


def test_matching() -> None:
    assert matches("3.1", "3.1.4")
    assert not matches("3.1", "3.11.7")
    assert not matches("3.11.7", "3.11.70")
    assert matches(">=3.9,<3.12", "3.11.7")
