from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estiva.errors import RegistryException
from estiva.registry import content


@given(data=st.binary(max_size=3000), chunk=st.integers(min_value=1, max_value=999))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_arrives_is_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, chunk: int
) -> None:
    monkeypatch.setattr(content, "CHUNK_BYTES", chunk)
    (tmp_path / "source").write_bytes(data)
    steps: list[int] = []
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("w+b") as target:
        assert content.transfer(source, target, steps.append) == (hashlib.sha256(data).hexdigest(), len(data))
    assert (tmp_path / "target").read_bytes() == data
    assert sum(steps) == len(data)


def test_a_clone_is_hashed_like_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "clone", _clones_everywhere)
    (tmp_path / "source").write_bytes(b"weights")
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("w+b") as target:
        assert content.transfer(source, target) == (hashlib.sha256(b"weights").hexdigest(), 7)
    assert (tmp_path / "target").read_bytes() == b"weights"


def _clones_everywhere(source: io.BufferedReader, target: io.BufferedRandom) -> bool:
    """Behaves as a file system with reflinks: the source's bytes are not read through its file object."""
    shutil.copyfile(source.name, target.name)
    return True


def test_a_clone_and_its_source_are_independent(cloning_disk: Path) -> None:
    (cloning_disk / "source").write_bytes(b"x" * 100_000)
    with (cloning_disk / "source").open("rb") as source, (cloning_disk / "target").open("w+b") as target:
        assert content.clone(source, target)
    with (cloning_disk / "source").open("r+b") as source_again:
        source_again.write(b"changed")
    assert (cloning_disk / "target").read_bytes() == b"x" * 100_000


def test_no_room_says_how_much_was_needed(tmp_path: Path) -> None:
    with pytest.raises(RegistryException) as caught, content.storing(tmp_path, 5_000_000):
        raise OSError(28, "No space left on device")
    assert caught.value.code == "DiskFull"
    assert "5.0 MB were needed" in caught.value.message
    assert "MB are free" in caught.value.message


def test_a_quota_is_not_free_space(tmp_path: Path) -> None:
    with pytest.raises(RegistryException) as caught, content.storing(tmp_path, 5_000_000):
        raise OSError(122, "Disk quota exceeded")
    assert caught.value.code == "DiskFull"
    assert "quota" in caught.value.message


def test_other_trouble_is_told_with_its_reason(tmp_path: Path) -> None:
    with (
        pytest.raises(RegistryException, match="Read-only file system") as caught,
        content.storing(tmp_path, 1),
    ):
        raise OSError(30, "Read-only file system")
    assert caught.value.code == "RegistryFailed"
