from __future__ import annotations

import shutil
import threading
from pathlib import Path

from estiva.records import ServiceKey
from estiva.targets._folder import folders, key_of, numbered, place

KEY = ServiceKey(workspace="w", service="s")


def test_replicas_are_listed_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10/0", "9/1", "9/0", "9/notes", "incoming/0"):
        (tmp_path / "w" / "s" / name).mkdir(parents=True)
    assert [(f.generation, f.index) for f in folders(tmp_path, KEY)] == [(9, 0), (9, 1), (10, 0)]


def test_each_version_of_an_endpoint_has_a_folder_of_its_own(tmp_path: Path) -> None:
    keys = [KEY, *(KEY.model_copy(update={"version": version}) for version in ("a", "b"))]
    places = [place(tmp_path, key) for key in keys]
    assert len(set(places)) == 3
    assert [key_of(folder) for folder in places] == keys


def test_what_is_not_there_has_no_entries(tmp_path: Path) -> None:
    assert numbered(tmp_path / "gone") == []


def test_folders_may_be_removed_while_they_are_listed(tmp_path: Path) -> None:
    service = tmp_path / "w" / "s"
    ended = threading.Event()

    def come_and_go() -> None:
        while not ended.is_set():
            (service / "1" / "0").mkdir(parents=True)
            shutil.rmtree(service)

    coming_and_going = threading.Thread(target=come_and_go)
    coming_and_going.start()
    try:
        for _ in range(2000):
            folders(tmp_path, KEY)
    finally:
        ended.set()
        coming_and_going.join()
