from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from estiva.environments.folders import (
    MARKER,
    exclusive,
    is_complete,
    make_once,
    replace_text,
    translated,
)
from estiva.errors import EnvironmentException


def never() -> bool:
    return False


def silent(_: str) -> None:
    pass


def make(folder: Path, content: str = "whole", digest: str = "d1") -> None:
    def fill() -> None:
        folder.mkdir()
        (folder / "content").write_text(content)

    make_once(folder, digest, fill, on_line=silent, cancelled=never)


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    make(tmp_path / "folder")
    make(tmp_path / "folder", "again")
    assert (tmp_path / "folder" / "content").read_text() == "whole"
    assert is_complete(tmp_path / "folder", "d1")
    assert not is_complete(tmp_path / "folder", "d2")
    assert json.loads((tmp_path / "folder" / MARKER).read_text()).keys() == {"digest", "estiva", "uv", "time"}


def test_a_folder_for_another_digest_is_made_anew(tmp_path: Path) -> None:
    make(tmp_path / "folder")
    make(tmp_path / "folder", "new", "d2")
    assert (tmp_path / "folder" / "content").read_text() == "new"


@pytest.mark.parametrize("marker", [None, "", "{", "[]", '{"digest": "other"}'])
def test_what_is_half_made_is_removed_first(tmp_path: Path, marker: str | None) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "rest").touch()
    if marker is not None:
        (folder / MARKER).write_text(marker)
    make(folder)
    assert not (folder / "rest").exists()
    assert is_complete(folder, "d1")


def test_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / "folder"

    def fail() -> None:
        folder.mkdir()
        raise EnvironmentException("it cannot be made")

    with pytest.raises(EnvironmentException, match="it cannot be made"):
        make_once(folder, "d1", fail, on_line=silent, cancelled=never)
    assert not folder.exists()
    make(folder)
    assert is_complete(folder, "d1")


def test_of_many_at_once_one_makes_it_and_the_others_wait(tmp_path: Path) -> None:
    folder, made, told = tmp_path / "folder", [], []
    others_wait = threading.Event()

    def fill() -> None:
        assert others_wait.wait(30)
        folder.mkdir()
        made.append(folder)

    def tell(line: str) -> None:
        told.append(line)
        if len(told) == 3:
            others_wait.set()

    def build() -> None:
        make_once(folder, "d1", fill, on_line=tell, cancelled=never)

    threads = [threading.Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert made == [folder]
    assert told == ["Another deployment is making the same environment; waiting for it."] * 3


def test_who_waits_can_be_cancelled(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / "folder", on_line=silent, cancelled=never),
        pytest.raises(EnvironmentException) as caught,
        exclusive(tmp_path / "folder", on_line=silent, cancelled=lambda: True),
    ):
        pass
    assert caught.value.code == "Cancelled"


def test_who_waits_gives_up_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTIVA_BUILD_TIMEOUT", "0.01")
    with (
        exclusive(tmp_path / "folder", on_line=silent, cancelled=never),
        pytest.raises(EnvironmentException, match="gave up waiting") as caught,
        exclusive(tmp_path / "folder", on_line=silent, cancelled=never),
    ):
        pass
    assert caught.value.code == "BuildTimeout"


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from estiva.environments.folders import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1]), on_line=print, cancelled=lambda: False):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "folder")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait(10)
        with exclusive(tmp_path / "folder", on_line=silent, cancelled=never):
            make(tmp_path / "other")


def test_errors_of_the_system_are_translated(tmp_path: Path) -> None:
    full = "[Errno 28] No space left on device"
    for error in (OSError(errno.ENOSPC, "full"), shutil.Error([("a", "b", full)])):
        with (
            pytest.raises(EnvironmentException, match="The disk is full") as caught,
            translated(tmp_path / "x"),
        ):
            raise error
        assert caught.value.code == "DiskFull"
    with pytest.raises(EnvironmentException, match="Check the folder"), translated(tmp_path / "x"):
        (tmp_path / "no" / "such").write_text("")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_text(path, "one")
    replace_text(path, "two")
    with pytest.raises(UnicodeEncodeError):
        replace_text(path, "\ud800")
    assert path.read_text() == "two"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
