from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from estiva.cli.server import unit_text
from estiva.errors import ControlServerException, RunEnvironmentException
from estiva.home import Home
from tests.cli.conftest import Run


def test_the_status_of_nothing_is_1(run: Run, home: Home) -> None:
    assert json.loads(run("status", "--output", "json", status=1)) == {
        "running": False,
        "home": str(home.root),
    }
    assert str(home.root) in run("status", status=1)


def test_ending_nothing_is_no_failure(run: Run) -> None:
    assert run("down") == "The control server was not running.\n"


def test_a_home_that_cannot_be_used(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ESTIVA_HOME", str(tmp_path / "file"))
    with pytest.raises(ControlServerException, match="Set ESTIVA_HOME to a folder of yours"):
        run("up")


def test_installing_without_systemd(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunEnvironmentException, match="There is no systemd on this machine") as caught:
        run("up", "--install")
    assert caught.value.code == "NoSystemd"


def command_line(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("ExecStart="))


def test_a_unit_starts_the_control_server_of_the_home() -> None:
    assert command_line(unit_text("/opt/python", Path("/home/ana/.estiva"))) == (
        'ExecStart="/opt/python" "-m" "estiva.control" "--home" "/home/ana/.estiva"'
    )


def test_a_unit_takes_paths_with_any_characters() -> None:
    line = command_line(unit_text("/opt/my python", Path('/home/50% $x "y" \\z')))
    assert line == 'ExecStart="/opt/my python" "-m" "estiva.control" "--home" "/home/50%% $$x \\"y\\" \\\\z"'


def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here")
    (tmp_path / "estiva.service").write_text(unit_text("/bin/true", tmp_path))
    subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / "estiva.service"], check=True, env={**os.environ}
    )
