from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from estiva.errors import MissingModelPath, RegistryException, UserErrorException
from estiva.registry.blobs import Blobs
from tests.registry.samples import killed_when_it_says, program

_LONG_AGO = time.time() - 2 * 3600


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"weights" * 1000)
    return path


def _stored(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and path.name != "lock"]


def test_a_file_is_stored_under_its_digest(blobs: Blobs, file: Path) -> None:
    steps: list[int] = []
    sha256, size = blobs.add(file, steps.append)
    assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert size == sum(steps) == 7000
    assert blobs.path(sha256).read_bytes() == file.read_bytes()
    assert blobs.path(sha256).parts[-2:] == (sha256[:2], sha256[2:])
    assert blobs.path(sha256).stat().st_mode & 0o777 == 0o444
    with blobs.open(sha256) as opened:
        assert opened.read() == file.read_bytes()


def test_an_empty_file_is_stored(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    sha256, size = blobs.add(tmp_path / "empty")
    assert (sha256, size) == (hashlib.sha256().hexdigest(), 0)
    assert blobs.path(sha256).read_bytes() == b""


def test_a_later_save_in_place_leaves_the_registered_bytes_alone(blobs: Blobs, file: Path) -> None:
    registered = file.read_bytes()
    sha256, _ = blobs.add(file)
    with file.open("r+b") as opened:  # as joblib.dump to the same path does: the same inode
        opened.write(b"retrained")
    assert blobs.path(sha256).read_bytes() == registered
    assert file.stat().st_nlink == 1


def test_equal_content_is_stored_once(blobs: Blobs, tmp_path: Path, file: Path) -> None:
    (tmp_path / "twin").write_bytes(file.read_bytes())
    with ThreadPoolExecutor(8) as pool:
        digests = {sha256 for sha256, _ in pool.map(blobs.add, [file, tmp_path / "twin"] * 8)}
    assert _stored(tmp_path / "blobs") == [blobs.path(*digests)]


def test_a_file_that_changes_while_it_is_read_is_refused(blobs: Blobs, tmp_path: Path, file: Path) -> None:
    def append(_bytes: int) -> None:
        with file.open("ab") as opened:
            opened.write(b"x")
        os.utime(file, (time.time(), time.time() + 1))

    with pytest.raises(UserErrorException, match="was changed while it was being read") as caught:
        blobs.add(file, append)
    assert str(file) in caught.value.message
    assert _stored(tmp_path / "blobs") == []


def test_a_file_that_is_not_there(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(MissingModelPath, match=r"nothing\.pkl does not exist"):
        blobs.add(tmp_path / "nothing.pkl")


def test_a_file_that_cannot_be_read(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match="cannot be read: Is a directory"):
        blobs.add(tmp_path)


@pytest.mark.parametrize("sha256", ["0" * 64, "../../etc/passwd", ""])
def test_a_blob_that_is_not_there(blobs: Blobs, tmp_path: Path, sha256: str) -> None:
    for attempt in (blobs.path, blobs.open, lambda digest: blobs.copy(digest, tmp_path / "copy", False)):
        with pytest.raises(RegistryException, match="is missing") as caught:
            attempt(sha256)
        assert caught.value.code == "BlobMissing"


@pytest.mark.parametrize("executable", [False, True])
def test_a_copy_is_a_file_of_the_users_own(
    blobs: Blobs, tmp_path: Path, file: Path, executable: bool
) -> None:
    sha256, _ = blobs.add(file)
    blobs.copy(sha256, tmp_path / "copy", executable)
    assert (tmp_path / "copy").read_bytes() == file.read_bytes()
    assert os.access(tmp_path / "copy", os.W_OK)
    assert bool((tmp_path / "copy").stat().st_mode & 0o100) == executable
    assert (tmp_path / "copy").stat().st_ino != blobs.path(sha256).stat().st_ino


def test_a_damaged_blob_is_named_and_nothing_is_written(blobs: Blobs, tmp_path: Path, file: Path) -> None:
    sha256, _ = blobs.add(file)
    _damage(blobs.path(sha256))
    target = tmp_path / "target" / "model.pkl"
    target.parent.mkdir()
    with pytest.raises(RegistryException, match="is damaged") as caught:
        blobs.copy(sha256, target, False)
    assert caught.value.code == "BlobDamaged"
    assert sha256 in caught.value.message
    assert list(target.parent.iterdir()) == []


def test_registering_the_file_again_repairs_a_damaged_blob(blobs: Blobs, tmp_path: Path, file: Path) -> None:
    sha256, _ = blobs.add(file)
    _damage(blobs.path(sha256))
    blobs.add(file)
    blobs.copy(sha256, tmp_path / "copy", False)
    assert (tmp_path / "copy").read_bytes() == file.read_bytes()


def _damage(blob: Path) -> None:
    blob.chmod(0o644)
    with blob.open("r+b") as opened:
        opened.write(b"W")


def test_a_full_disk_while_adding(small_disk: Path, tmp_path: Path, file: Path) -> None:
    blobs = Blobs(small_disk / "blobs")
    kept, _ = blobs.add(file)
    (tmp_path / "large").write_bytes(os.urandom(6_000_000))
    with pytest.raises(RegistryException, match=r"6\.0 MB were needed") as caught:
        blobs.add(tmp_path / "large")
    assert caught.value.code == "DiskFull"
    assert _stored(small_disk) == [blobs.path(kept)]


def test_a_full_disk_while_copying(small_disk: Path, blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(6_000_000))
    sha256, _ = blobs.add(tmp_path / "large")
    with pytest.raises(RegistryException, match="disk is full"):
        blobs.copy(sha256, small_disk / "copy", False)
    assert list(small_disk.iterdir()) == []


def test_a_clone_serves_as_well(cloning_disk: Path) -> None:
    (cloning_disk / "model.pkl").write_bytes(os.urandom(3_000_000))
    blobs = Blobs(cloning_disk / "blobs")
    sha256, _ = blobs.add(cloning_disk / "model.pkl")
    blobs.copy(sha256, cloning_disk / "copy", False)
    assert (cloning_disk / "copy").read_bytes() == (cloning_disk / "model.pkl").read_bytes()


_ADD_HALF = """
import sys
from pathlib import Path
from estiva.registry.blobs import Blobs
def half(count):
    print("half", flush=True)
    sys.stdin.read()
Blobs(Path(sys.argv[1])).add(Path(sys.argv[2]), half)
"""


def test_kill_9_while_adding_leaves_no_blob_and_a_retry_works(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(os.urandom(3_000_000))
    root = tmp_path / "blobs"
    killed_when_it_says("half", _ADD_HALF, root, tmp_path / "model.pkl")
    left = _stored(root)
    assert [path.parent.name for path in left] == ["incoming"]
    blobs = Blobs(root)
    sha256, _ = blobs.add(tmp_path / "model.pkl")
    assert blobs.path(sha256).read_bytes() == (tmp_path / "model.pkl").read_bytes()
    os.utime(left[0], (_LONG_AGO, _LONG_AGO))
    assert blobs.prune({sha256}) == 1024 * 1024
    assert _stored(root) == [blobs.path(sha256)]


_MEASURE = """
import resource, sys
from pathlib import Path
import psutil
from estiva.registry.blobs import Blobs
blobs = Blobs(Path(sys.argv[1]))
def read(): return psutil.Process().io_counters().read_chars
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
blobs.add(Path(sys.argv[3]))
before, had_read = peak(), read()
sha256, size = blobs.add(Path(sys.argv[2]))
print((peak() - before) * 1024, read() - had_read, size)
"""


@pytest.mark.skipif(
    not hasattr(os, "posix_fadvise"), reason="needs Linux, where what was read can be counted"
)
def test_300_megabytes_need_constant_memory_and_one_read(tmp_path: Path, file: Path) -> None:
    with (tmp_path / "large").open("wb") as large:
        large.truncate(300_000_000)
    with program(_MEASURE, tmp_path / "blobs", tmp_path / "large", file) as process:
        assert process.stdout is not None
        grown, read, size = (int(word) for word in process.stdout.read().split())
    assert size == 300_000_000
    assert grown < 10_000_000
    assert read < 1.05 * size


def test_prune_removes_old_blobs_that_nothing_refers_to(blobs: Blobs, tmp_path: Path) -> None:
    added = {}
    for name in ("kept", "old", "young"):
        (tmp_path / name).write_text(name)
        added[name], _ = blobs.add(tmp_path / name)
    for name in ("kept", "old"):
        os.utime(blobs.path(added[name]), (_LONG_AGO, _LONG_AGO))
    assert blobs.prune({added["kept"]}) == len("old")
    assert set(_stored(tmp_path / "blobs")) == {blobs.path(added["kept"]), blobs.path(added["young"])}


def test_adding_again_makes_a_blob_young(blobs: Blobs, file: Path) -> None:
    sha256, _ = blobs.add(file)
    os.utime(blobs.path(sha256), (_LONG_AGO, _LONG_AGO))
    blobs.add(file)
    assert blobs.prune(set()) == 0
    assert blobs.path(sha256).exists()


def test_pruning_nothing(blobs: Blobs) -> None:
    assert blobs.prune(set()) == 0
