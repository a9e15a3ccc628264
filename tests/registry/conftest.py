"""A real database and a real blob folder for each test, and real file systems where they can be mounted."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from estiva.records import Workspace
from estiva.registry.blobs import Blobs
from estiva.registry.store import Store


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'estiva.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """With a workspace "lab"."""
    store = Store(url)
    store.create_workspace(Workspace(name="lab"))
    yield store
    store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    with _mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=4m", "tmpfs") as folder:
        yield folder


@pytest.fixture
def cloning_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that can clone files."""
    if not shutil.which("mkfs.btrfs"):
        pytest.skip("needs mkfs.btrfs for a file system that clones files")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(128 * 1024 * 1024)
    subprocess.run(["mkfs.btrfs", "-q", image], check=True, timeout=60)
    with _mounted(tmp_path / "cloning", "-o", "loop", str(image)) as folder:
        yield folder


@contextmanager
def _mounted(folder: Path, *arguments: str) -> Iterator[Path]:
    if os.getuid() != 0:
        pytest.skip("needs root to mount a file system")
    folder.mkdir()
    done = subprocess.run(
        ["mount", *arguments, folder], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"needs to mount a file system: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True, timeout=60)
