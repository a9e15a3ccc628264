from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from estiva_server.contract import Status
from estiva_server.status import LockedError, StatusFile, lock


def test_each_change_is_written(tmp_path: Path) -> None:
    file = StatusFile(tmp_path, Status(1, 2.0, "starting"))
    file.update(phase="ready", worker_pids=(3,))
    written = json.loads((tmp_path / "status.json").read_text())
    assert (written["phase"], written["worker_pids"], written["pid"]) == ("ready", [3], 1)
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_no_run_directory_no_file(tmp_path: Path) -> None:
    file = StatusFile(None, Status(1, 2.0, "starting"))
    file.update(phase="ready")
    assert file.status.phase == "ready"


def test_a_status_that_cannot_be_written_does_not_end_the_server(tmp_path: Path) -> None:
    file = StatusFile(tmp_path / "gone", Status(1, 2.0, "starting"))
    file.update(phase="ready")
    assert file.status.phase == "ready"


def test_the_lock_is_exclusive_and_names_its_owner(tmp_path: Path) -> None:
    descriptor = lock(tmp_path / "run")
    with pytest.raises(LockedError, match=rf"already runs in .*run \(process {os.getpid()}\)"):
        lock(tmp_path / "run")
    os.close(descriptor)
    os.close(lock(tmp_path / "run"))
