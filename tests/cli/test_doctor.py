from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import uv

from estiva.cli import doctor
from estiva.home import Home
from tests.cli.conftest import Run

NAMES = [
    *("Python", "disk", "memory", "clock", "state folder", "uv", "package index", "CA certificates"),
    *("ports", "gateway", "control server", "open files"),
    *("Docker engine", "Kubernetes"),
]


def program(folder: Path, name: str, script: str) -> None:
    """A command of that name, and no other, on the path."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_a_row_for_each_check_and_below_it_what_to_do(run: Run, path: Path) -> None:
    told = run("doctor").splitlines()
    rows = [line for line in told if not line.startswith(" ")]
    assert [line[9:26].strip() for line in rows] == NAMES
    docker = next(number for number, line in enumerate(told) if "Docker" in line)
    assert told[docker].split() == ["absent", "Docker", "engine", "no", "docker", "command"]
    assert told[docker + 1].strip() == "Only needed for containers."


def test_json_has_the_same(run: Run, path: Path, home: Home) -> None:
    checks = {check["name"]: check for check in json.loads(run("doctor", "--output", "json"))}
    assert list(checks) == NAMES
    assert checks["Docker engine"] == {
        "name": "Docker engine",
        "ok": None,
        "found": "no docker command",
        "todo": "Only needed for containers.",
    }
    assert checks["disk"]["ok"] is True
    assert str(home.root) in checks["disk"]["found"]
    assert (checks["control server"]["ok"], checks["control server"]["found"]) == (None, "not running")


def test_what_is_missing_ends_with_status_1(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ESTIVA_HOME", str(tmp_path / "file"))
    told = run("doctor", status=1)
    assert "MISSING  state folder" in told
    assert "Set ESTIVA_HOME to a folder of yours." in told


def test_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    check = doctor.uv()
    assert check.ok
    assert check.found.startswith("uv ")

    def fail() -> str:
        raise FileNotFoundError("uv")

    monkeypatch.setattr(uv, "find_uv_bin", fail)
    check = doctor.uv()
    assert (check.ok, check.found) == (False, "not installed")
    assert "-m pip install uv" in check.todo


def test_the_disk_of_a_home_that_is_not_there_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTIVA_HOME", str(tmp_path / "a/b/c"))
    assert doctor.disk().ok
    assert not (tmp_path / "a").exists()


def test_a_disk_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_ENOUGH_BYTES", 10**30)
    check = doctor.disk()
    assert check.ok is False
    assert "set ESTIVA_HOME to a folder on another disk" in check.todo


def test_too_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.memory().ok
    monkeypatch.setattr(doctor, "_ENOUGH_MEMORY_BYTES", 10**30)
    assert doctor.memory().ok is False


def test_a_clock_that_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.clock().ok
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)
    check = doctor.clock()
    assert (check.ok, check.found) == (False, "2001-09-09 01:46:40 UTC")


def test_ca_certificates_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    assert doctor.certificates().found == "SSL_CERT_FILE names /nowhere/ca.pem, which is not there"


def test_a_package_index_that_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    check = doctor.package_index()
    assert (check.ok, check.found) == (None, "pip reaches none")


def test_ports() -> None:
    assert doctor.ports() == doctor.Check("ports", True, "127.0.0.1 can be listened on")


@pytest.mark.parametrize(
    ("script", "ok", "found"),
    [
        ("echo 24.0.7", True, "24.0.7"),
        ("echo; echo 'Cannot connect' >&2; exit 1", None, "docker does not reach an engine"),
    ],
)
def test_docker(path: Path, script: str, ok: bool | None, found: str) -> None:
    program(path, "docker", script)
    check = doctor.docker()
    assert (check.ok, check.found) == (ok, found)


@pytest.mark.parametrize(
    ("script", "ok", "found"),
    [("echo kind-prod", True, "context kind-prod"), ("exit 1", None, "no current context")],
)
def test_kubernetes(path: Path, script: str, ok: bool | None, found: str) -> None:
    program(path, "kubectl", script)
    check = doctor.kubernetes()
    assert (check.ok, check.found) == (ok, found)


def test_a_command_that_does_not_end_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_COMMAND_SECONDS", 0.1)
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    program(path, "docker", "exec sleep 60")
    assert doctor.docker().found == "docker does not reach an engine"
