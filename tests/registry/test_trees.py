from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estiva.errors import MissingModelPath, RegistryException, UserErrorException
from estiva.records import File, Tree
from estiva.registry.blobs import Blobs
from estiva.registry.trees import Checkouts, check, ingest
from tests.registry.samples import killed_when_it_says

_LONG_AGO = time.time() - 2 * 3600


def _write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.fixture
def checkouts(blobs: Blobs, tmp_path: Path) -> Checkouts:
    return Checkouts(blobs, tmp_path / "checkouts")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return _write(tmp_path / "model", {"weights.v1.pkl": "w", "deep/er/labels.txt": "cat", "empty": ""})


def _paths(tree: Tree) -> list[str]:
    return [file.path for file in tree.files]


# --- ingest ----------------------------------------------------------------------------------------------


def test_a_file_goes_by_its_basename(blobs: Blobs, folder: Path) -> None:
    tree = ingest(blobs, folder / "weights.v1.pkl", keep_root=True)
    assert _paths(tree) == ["weights.v1.pkl"]
    assert blobs.path(tree.files[0].sha256).read_text() == "w"
    assert ingest(blobs, folder / "weights.v1.pkl", keep_root=False) == tree


def test_a_model_folder_keeps_its_own_name(blobs: Blobs, folder: Path) -> None:
    (folder / "nothing here").mkdir()
    tree = ingest(blobs, folder, keep_root=True)
    assert _paths(tree) == ["model/deep/er/labels.txt", "model/empty", "model/weights.v1.pkl"]
    assert tree.directories == ("model/nothing here",)
    assert [file.size for file in tree.files] == [3, 0, 1]


def test_a_folder_named_by_dots_has_its_real_name(
    blobs: Blobs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "deep")
    assert ingest(blobs, Path(".."), keep_root=True) == ingest(blobs, folder, keep_root=True)


def test_code_is_the_folders_content_less_caches(blobs: Blobs, tmp_path: Path) -> None:
    kept = ["score.py", "lib/.hidden", "lib/model.py"]
    skipped = [".git/HEAD", "lib/__pycache__/model.pyc", ".ipynb_checkpoints/score-checkpoint.py"]
    code = _write(tmp_path / "source", dict.fromkeys(kept + skipped, ""))
    (code / "score.py").chmod(0o755)
    tree = ingest(blobs, code, keep_root=False)
    assert _paths(tree) == sorted(kept)
    assert [file.path for file in tree.files if file.executable] == ["score.py"]


def test_a_model_keeps_what_code_does_not(blobs: Blobs, tmp_path: Path) -> None:
    model = _write(tmp_path / "model", {"__pycache__/a.pyc": ""})
    assert _paths(ingest(blobs, model, keep_root=True)) == ["model/__pycache__/a.pyc"]


def test_child_paths_choose_files_and_folders(blobs: Blobs, folder: Path) -> None:
    chosen = [Path("deep"), folder / "deep" / "er", folder / "weights.v1.pkl"]
    tree = ingest(blobs, folder, child_paths=chosen, keep_root=True)
    assert _paths(tree) == ["model/deep/er/labels.txt", "model/weights.v1.pkl"]


def test_a_child_path_that_is_not_there(blobs: Blobs, folder: Path) -> None:
    with pytest.raises(MissingModelPath, match=r"nothing\.pkl does not exist"):
        ingest(blobs, folder, child_paths=[Path("nothing.pkl")], keep_root=True)


@pytest.mark.parametrize("child", ["../secret", "inside/secret"])
def test_a_child_path_elsewhere(blobs: Blobs, folder: Path, child: str) -> None:
    _write(folder.parent, {"secret": "s"})
    (folder / "inside").symlink_to(folder.parent)
    with pytest.raises(UserErrorException, match="is not inside"):
        ingest(blobs, folder, child_paths=[Path(child)], keep_root=True)


def test_links_inside_are_what_they_point_to(blobs: Blobs, folder: Path) -> None:
    (folder / "current.pkl").symlink_to("weights.v1.pkl")
    (folder / "again").symlink_to(folder / "deep")
    tree = ingest(blobs, folder, keep_root=False)
    contents = {file.path: file.sha256 for file in tree.files}
    assert contents["current.pkl"] == contents["weights.v1.pkl"]
    assert contents["again/er/labels.txt"] == contents["deep/er/labels.txt"]


def test_a_folder_that_is_itself_a_link(blobs: Blobs, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(folder)
    assert "latest/weights.v1.pkl" in _paths(ingest(blobs, tmp_path / "latest", keep_root=True))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/etc/hostname", "is outside"),
        ("../secret", "is outside"),
        ("gone", "does not exist"),
        ("bad", "does not"),
    ],
)
def test_a_link_that_leads_nowhere_good(blobs: Blobs, folder: Path, target: str, said: str) -> None:
    _write(folder.parent, {"secret": "s"})
    (folder / "bad").symlink_to(target)
    with pytest.raises(UserErrorException, match=said) as caught:
        ingest(blobs, folder, keep_root=True)
    assert str(folder / "bad") in caught.value.message
    assert f"points to {target}" in caught.value.message


def test_loops_of_links_end(blobs: Blobs, folder: Path) -> None:
    (folder / "self").symlink_to(folder)
    (folder / "deep" / "up").symlink_to("..")
    (folder / "left").mkdir()
    (folder / "right").mkdir()
    (folder / "left" / "right").symlink_to("../right")
    (folder / "right" / "left").symlink_to("../left")
    tree = ingest(blobs, folder, keep_root=False)
    assert {"weights.v1.pkl", "deep/er/labels.txt", "empty"} <= set(_paths(tree))


def test_a_socket(blobs: Blobs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)  # its address may be no longer than 108 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(UserErrorException, match="but a socket"):
            ingest(blobs, folder, keep_root=True)


def test_a_named_pipe(blobs: Blobs, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(UserErrorException, match="but a named pipe") as caught:
        ingest(blobs, folder, keep_root=True)
    assert str(folder / "pipe") in caught.value.message


def test_a_device(blobs: Blobs) -> None:
    with pytest.raises(UserErrorException, match="but a device"):
        ingest(blobs, Path("/dev/null"), keep_root=True)


def test_a_name_that_is_not_text(blobs: Blobs, folder: Path) -> None:
    try:
        (folder / os.fsdecode(b"bad\xff")).touch()
    except OSError:
        pytest.skip("needs a file system that takes any bytes as a name")
    with pytest.raises(UserErrorException, match="not valid UTF-8"):
        ingest(blobs, folder, keep_root=True)


def test_nothing_there(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(MissingModelPath, match=r"model\.pkl does not exist"):
        ingest(blobs, tmp_path / "model.pkl", keep_root=True)


def test_an_empty_folder(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "model" / "empty").mkdir(parents=True)
    with pytest.raises(UserErrorException, match="is empty"):
        ingest(blobs, tmp_path / "model", keep_root=True)


def test_a_folder_that_may_not_be_read(blobs: Blobs, folder: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("needs a user other than root, who may read everything")
    (folder / "deep").chmod(0)
    with pytest.raises(UserErrorException, match="Permission denied"):
        ingest(blobs, folder, keep_root=True)


def test_progress_reaches_the_total(blobs: Blobs, folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    ingest(blobs, folder, keep_root=True, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (4, 4)
    assert seen == sorted(seen)


def test_a_deep_tree(blobs: Blobs, tmp_path: Path, checkouts: Checkouts) -> None:
    deep = tmp_path / "/".join("d" * 400)
    deep.mkdir(parents=True)
    (deep / "leaf").write_text("leaf")
    tree = ingest(blobs, tmp_path / "d", keep_root=True)
    assert _paths(tree) == ["/".join("d" * 400) + "/leaf"]
    assert (checkouts.checkout(tree) / tree.files[0].path).read_text() == "leaf"


_NAMES = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0"), min_size=1, max_size=8
).filter(lambda name: name not in (".", ".."))
_FOLDERS = st.recursive(
    st.binary(max_size=50),
    lambda children: st.dictionaries(_NAMES, children, max_size=4),
    max_leaves=12,
).filter(lambda folder: isinstance(folder, dict) and _has_file(folder))

Folder = dict[str, "bytes | Folder"]


def _has_file(folder: Folder) -> bool:
    return any(isinstance(child, bytes) or _has_file(child) for child in folder.values())


def _make(root: Path, folder: Folder) -> None:
    root.mkdir()
    for name, child in folder.items():
        if isinstance(child, bytes):
            (root / name).write_bytes(child)
        else:
            _make(root / name, child)


def _read(root: Path) -> Folder:
    return {path.name: _read(path) if path.is_dir() else path.read_bytes() for path in root.iterdir()}


@given(folder=_FOLDERS)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_checked_out_is_what_was_taken(
    tmp_path_factory: pytest.TempPathFactory, folder: Folder
) -> None:
    root = tmp_path_factory.mktemp("any")
    _make(root / "model", folder)
    blobs = Blobs(root / "blobs")
    tree = ingest(blobs, root / "model", keep_root=True)
    assert _read(Checkouts(blobs, root / "checkouts").checkout(tree)) == {"model": folder}


# --- checkout --------------------------------------------------------------------------------------------


@pytest.fixture
def tree(blobs: Blobs, folder: Path) -> Tree:
    (folder / "deep" / "run.sh").write_text("#!/bin/sh")
    (folder / "deep" / "run.sh").chmod(0o755)
    return ingest(blobs, folder, keep_root=False)


def test_files_are_read_only(checkouts: Checkouts, tree: Tree, tmp_path: Path) -> None:
    content = checkouts.checkout(tree)
    assert content == tmp_path / "checkouts" / tree.digest / "content"
    modes = {file.path: (content / file.path).stat().st_mode & 0o777 for file in tree.files}
    assert modes == {
        "deep/er/labels.txt": 0o444,
        "deep/run.sh": 0o555,
        "empty": 0o444,
        "weights.v1.pkl": 0o444,
    }


def test_it_is_made_once(checkouts: Checkouts, tree: Tree, tmp_path: Path) -> None:
    content = checkouts.checkout(tree)
    shutil.rmtree(tmp_path / "blobs")  # not even looked at
    assert checkouts.checkout(tree) == content


def test_many_at_once_get_one(checkouts: Checkouts, tree: Tree, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        places = set(pool.map(checkouts.checkout, [tree] * 8))
    assert len(places) == 1
    assert list((tmp_path / "checkouts" / "incoming").iterdir()) == []


def _overwrite(content: Path) -> None:
    (content / "weights.v1.pkl").chmod(0o644)
    (content / "weights.v1.pkl").write_text("W")


def _remove(content: Path) -> None:
    (content / "weights.v1.pkl").unlink()


def _add(content: Path) -> None:
    (content / "deep" / "extra.txt").touch()


def _link(content: Path) -> None:
    (content / "weights.v1.pkl").unlink()
    (content / "weights.v1.pkl").symlink_to("/etc/hostname")


def _remove_all(content: Path) -> None:
    shutil.rmtree(content)


@pytest.mark.parametrize("change", [_overwrite, _remove, _add, _link, _remove_all])
def test_content_that_a_script_changed_is_made_anew(
    checkouts: Checkouts, tree: Tree, change: Callable[[Path], None]
) -> None:
    content = checkouts.checkout(tree)
    change(content)
    assert checkouts.checkout(tree) == content
    assert (content / "weights.v1.pkl").read_text() == "w"
    assert not (content / "deep" / "extra.txt").exists()


def test_pythons_own_caches_are_no_change(checkouts: Checkouts, tree: Tree) -> None:
    content = checkouts.checkout(tree)
    _write(content / "deep" / "__pycache__", {"module.pyc": ""})
    assert (checkouts.checkout(tree) / "deep" / "__pycache__" / "module.pyc").exists()


def test_a_damaged_blob_makes_no_checkout(
    checkouts: Checkouts, blobs: Blobs, tree: Tree, tmp_path: Path
) -> None:
    blob = blobs.path(tree.files[-1].sha256)
    blob.chmod(0o644)
    blob.write_text("W")
    with pytest.raises(RegistryException) as caught:
        checkouts.checkout(tree)
    assert caught.value.code == "BlobDamaged"
    assert tree.files[-1].sha256 in caught.value.message
    assert not (tmp_path / "checkouts" / tree.digest).exists()
    assert list((tmp_path / "checkouts" / "incoming").iterdir()) == []


def test_a_full_disk_makes_no_checkout(blobs: Blobs, tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(6_000_000))
    tree = ingest(blobs, tmp_path / "large", keep_root=True)
    with pytest.raises(RegistryException) as caught:
        Checkouts(blobs, small_disk).checkout(tree)
    assert caught.value.code == "DiskFull"
    assert [path for path in small_disk.rglob("*") if path.is_file() and path.parent.name != "locks"] == []


_CHECK_OUT_HALF = """
import sys
from pathlib import Path
from estiva.records import Tree
from estiva.registry.blobs import Blobs
from estiva.registry.trees import Checkouts
class StopsAtTheSecond(Blobs):
    copied = 0
    def copy(self, *arguments):
        if self.copied:
            print("half", flush=True)
            sys.stdin.read()
        super().copy(*arguments)
        self.copied += 1
blobs = StopsAtTheSecond(Path(sys.argv[1]))
Checkouts(blobs, Path(sys.argv[2])).checkout(Tree.model_validate_json(sys.argv[3]))
"""


def test_kill_9_while_checking_out_leaves_none_and_a_retry_works(
    checkouts: Checkouts, tree: Tree, tmp_path: Path
) -> None:
    root = tmp_path / "checkouts"
    killed_when_it_says("half", _CHECK_OUT_HALF, tmp_path / "blobs", root, tree.model_dump_json())
    assert not (root / tree.digest).exists()
    (half,) = (root / "incoming").iterdir()
    content = checkouts.checkout(tree)
    assert all((content / file.path).stat().st_size == file.size for file in tree.files)
    os.utime(half, (_LONG_AGO, _LONG_AGO))
    checkouts.drop({tree.digest})
    assert not half.exists()
    assert content.exists()


def test_drop_removes_what_is_not_kept(checkouts: Checkouts, tree: Tree, blobs: Blobs, folder: Path) -> None:
    kept = checkouts.checkout(tree)
    dropped = checkouts.checkout(ingest(blobs, folder / "empty", keep_root=True))
    for checkout in (kept, dropped):
        os.utime(checkout.parent, (_LONG_AGO, _LONG_AGO))
    checkouts.drop({tree.digest})
    checkouts.drop({tree.digest})
    assert kept.exists()
    assert not dropped.parent.exists()


def test_drop_spares_what_was_just_asked_for(checkouts: Checkouts, tree: Tree) -> None:
    content = checkouts.checkout(tree)
    os.utime(content.parent, (_LONG_AGO, _LONG_AGO))
    checkouts.checkout(tree)
    checkouts.drop(set())
    assert content.exists()


# --- trees that would do harm ----------------------------------------------------------------------------


def _tree(*paths: str, directories: tuple[str, ...] = ()) -> Tree:
    return Tree(
        files=tuple(File(path=path, sha256="0" * 64, size=0) for path in paths), directories=directories
    )


@pytest.mark.parametrize(
    "tree",
    [
        _tree("/etc/passwd"),
        _tree("../up"),
        _tree("a/../../up"),
        _tree("a//b"),
        _tree("./a"),
        _tree(""),
        _tree("a\0b"),
        _tree(directories=("../up",)),
        _tree("a", "a"),
        _tree("a", "a/b"),
        _tree("a", directories=("a",)),
        _tree("a", directories=("a/b",)),
    ],
)
def test_a_tree_that_would_write_elsewhere_or_collide_is_refused(checkouts: Checkouts, tree: Tree) -> None:
    with pytest.raises(RegistryException) as caught:
        checkouts.checkout(tree)
    assert caught.value.code == "TreeUnsafe"


@given(st.text(alphabet="a./\\\0~", min_size=1, max_size=8))
def test_no_path_that_passes_leaves_the_folder(path: str) -> None:
    try:
        check(_tree(path))
    except RegistryException:
        return
    assert os.path.normpath(f"/place/{path}") == f"/place/{path}"
