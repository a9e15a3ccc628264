"""A disk that is full: told as that, nothing half is kept, and all goes on once there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from estiva import Model
from estiva.errors import RegistryException, WebserviceException
from estiva.home import HOME_VARIABLE, Home
from tests.e2e.conftest import Project, body

SIZE = 48_000_000
SPARE = 1_000_000


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home on a file system of its own, so small that it can be filled."""
    folder = tmp_path_factory.mktemp("h")
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, check=False, capture_output=True, text=True, timeout=10)
    except FileNotFoundError:
        pytest.skip("needs the mount command")
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a small file system: {mounted.stderr.strip()}")
    monkeypatch.setenv(HOME_VARIABLE, str(folder))
    yield Home(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=10)


def fill(home: Home, leave: int) -> Path:
    filler = home.root / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free(home) - leave)
    return filler


def free(home: Home) -> int:
    found = os.statvfs(home.root)
    return found.f_bavail * found.f_bsize


def test_registering_on_a_full_disk(home: Home, project: Project, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(2 * SIZE)
    before = free(home)
    with pytest.raises(RegistryException) as caught:
        Model.register(project.workspace, large, "large")
    assert caught.value.code == "DiskFull"
    assert caught.value.message.startswith("The disk is full: 96.0 MB were needed in ")
    assert "Free some space, or delete models that are no longer needed" in caught.value.message
    assert Model.list(project.workspace) == []
    assert free(home) > before - SPARE
    large.write_bytes(b"small enough")
    assert Model.register(project.workspace, large, "large").version == 1


def test_registering_when_not_a_byte_is_left(home: Home, project: Project, tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("tiny")
    filler = fill(home, 0)
    with pytest.raises(RegistryException) as caught:
        Model.register(project.workspace, tmp_path / "model.txt", "tiny")
    assert caught.value.code == "DiskFull"
    assert Model.list(project.workspace) == []
    filler.unlink()
    assert Model.register(project.workspace, tmp_path / "model.txt", "tiny").version == 1


def test_building_on_a_full_disk(home: Home, project: Project) -> None:
    filler = fill(home, SPARE)
    service = project.deploy(wait=False)
    with pytest.raises(WebserviceException) as caught:
        service.wait_for_deployment()
    assert caught.value.code == "DiskFull"
    assert caught.value.message.startswith("The disk is full\n")
    assert "Free some space" in caught.value.message
    filler.unlink()
    service = project.deploy(overwrite=True)
    assert service.run(body(21)) == [42]
