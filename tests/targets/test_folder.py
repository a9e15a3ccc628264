from __future__ import annotations

import json
from pathlib import Path

import pytest

from estiva.records import Mount, ReplicaPhase
from estiva.targets._folder import Labels, ReplicaFolder, folders, remove
from tests.targets.site import Site


@pytest.fixture
def folder(tmp_path: Path) -> ReplicaFolder:
    found = ReplicaFolder(tmp_path / "wayne" / "diabetes" / "3" / "0")
    found.run.mkdir(parents=True)
    return found


def test_a_folder_is_known_by_its_place(folder: ReplicaFolder, process_site: Site, tmp_path: Path) -> None:
    assert folders(tmp_path, process_site.key) == [folder]
    assert (folder.generation, folder.index) == (3, 0)


def test_a_claim_is_exclusive_and_life_passes_to_whoever_holds_its_descriptor(folder: ReplicaFolder) -> None:
    with folder.claimed():
        assert not folder.alive()
        with folder.life():
            assert folder.alive()
        assert not folder.alive()


def test_a_status_of_a_newer_server_is_read_as_far_as_it_is_known(folder: ReplicaFolder) -> None:
    folder.write_labels(Labels(address="unix:/r.sock", pid=1))
    said = {
        "pid": 1,
        "started": 1.0,
        "phase": "exited",
        "exit_code": 4,
        "reason": "It ended.",
        "mood": "fine",
    }
    (folder.run / "status.json").write_text(json.dumps(said))
    replica = folder.observe()
    assert replica is not None
    assert (replica.phase, replica.exit_code, replica.reason) == (ReplicaPhase.EXITED, 4, "It ended.")


def test_files_that_a_power_cut_emptied_are_no_replica(folder: ReplicaFolder) -> None:
    (folder.path / "replica.json").touch()
    (folder.run / "status.json").touch()
    assert folder.observe() is None


def test_the_app_root_appears_whole_or_not_at_all(folder: ReplicaFolder, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "score.py").write_text("1")
    lost = Mount(source=str(tmp_path / "lost"), target="source", writable=True)
    with pytest.raises(FileNotFoundError):
        folder.prepare([Mount(source=str(code), target=".", writable=True), lost])
    assert not folder.app.exists()
    folder.prepare([Mount(source=str(code), target=".", writable=True)])
    assert [path.name for path in folder.app.iterdir()] == ["score.py"]


def test_a_folder_that_nobody_may_write_is_removed_and_what_it_links_to_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    locked = tmp_path / "gone" / "locked"
    locked.mkdir(parents=True)
    (locked / "file").touch()
    (locked / "link").symlink_to(kept)
    locked.chmod(0)
    remove(tmp_path / "gone")
    remove(tmp_path / "gone")
    assert not (tmp_path / "gone").exists()
    assert kept.is_dir()
