"""The shared fixtures do what every other test counts on; seen from outside, in a run of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

LEAVING = """
import subprocess

def test_that_forgets(home):
    process = subprocess.Popen(["sleep", "60"])
    (home.root / "pid").write_text(str(process.pid))
"""

SKIPPING = """
import pytest

def test_that_needs_more():
    pytest.skip("no engine here")
"""


def outcome(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    """Runs the test under the shared conftest.py; its temporary folders are below `folder/t`."""
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_inner.py").write_text(test)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", "t", "test_inner.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_process_that_is_left_running_fails_the_run_and_is_ended(tmp_path: Path) -> None:
    ended = outcome(tmp_path, LEAVING)
    pid = int((tmp_path / "t" / "h0" / "pid").read_text())
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert f"processes were left running:\n{pid}: sleep 60" in ended.stdout
    assert not psutil.pid_exists(pid)


def test_what_was_skipped_is_listed_by_name_before_the_closing_line(tmp_path: Path) -> None:
    lines = [line for line in outcome(tmp_path, SKIPPING).stdout.splitlines() if line]
    assert "skipped by name: 1" in lines[-3]
    assert lines[-2] == "test_inner.py::test_that_needs_more: no engine here"
    assert "1 skipped" in lines[-1]
