"""What goes into a container and comes out of it."""

from __future__ import annotations

import io
import tarfile
import time
from pathlib import Path

from estiva.records import Mount
from estiva.targets import _archive, _container
from estiva.targets._container import History
from estiva_server import contract

READY = contract.Status(pid=1, started=0.0, phase="ready", capacity=2)


def tar_of(texts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in texts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def test_what_is_mounted_belongs_to_the_images_user_and_is_of_now(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "score.py").write_text("script")
    (tmp_path / "source" / "link.py").symlink_to("score.py")
    program = tmp_path / "tool.sh"
    program.write_text("#!/bin/sh")
    program.chmod(0o700)
    began = int(time.time())

    target = io.BytesIO()
    mount = Mount(source=str(tmp_path), target="azureml-models/a/1", writable=False)
    _archive.write(target, [mount], {_container.SECRETS_FILE: "{}"})

    target.seek(0)
    with tarfile.open(fileobj=target) as archive:
        entries = {entry.name: entry for entry in archive}
    app = "var/azureml-app/azureml-models/a/1"
    assert {"var/azureml-app", f"{app}/source/score.py", "home/estiva/run/secrets.json"} <= entries.keys()
    assert {(entry.uid, entry.gid) for entry in entries.values()} == {(10001, 10001)}
    assert all(began <= entry.mtime <= time.time() for entry in entries.values())
    modes = [entries[name].mode for name in (f"{app}/source/score.py", f"{app}/tool.sh")]
    assert modes == [0o644, 0o755]
    assert entries["home/estiva/run/secrets.json"].mode == 0o600
    assert entries[f"{app}/source/link.py"].linkname == "score.py"


def test_what_the_files_of_a_container_say() -> None:
    history = History(starts=2, cause="It was killed.")
    texts = {
        "run/status.json": _container.as_text(READY).encode(),
        "run/history.json": _container.as_text(history).encode(),
        "run/lock": b"1",
    }
    status, found = _archive.read([tar_of(texts)])
    assert status is not None
    assert (status.phase, status.capacity, found) == ("ready", 2, history)


def test_files_that_a_script_has_spoilt_say_nothing() -> None:
    assert _archive.read([tar_of({"run/status.json": b"{half"})]) == (None, History())
    assert _archive.read([b"no tar at all"]) == (None, History())
    assert _archive.read([bytes(1 << 20)] * 64) == (None, History())
