from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil
import pytest

from estiva.environments import folders, interpreters, locks, venvs
from estiva.errors import EnvironmentException
from estiva.records import EnvironmentSpecification, Lock
from tests.environments.conftest import SERVER_SOURCE, PackageIndex, Wheels

pytestmark = pytest.mark.network  # the scoring server's dependency


def locked(spec: EnvironmentSpecification, folder: Path) -> Lock:
    python = interpreters.find(None, sys.executable)
    return locks.resolve(
        spec, python, cache=folder / "locks", on_line=lambda _: None, cancelled=lambda: False
    )


def build(lock: Lock, root: Path, lines: list[str] | None = None) -> str:
    told = [] if lines is None else lines
    venvs.build(lock, root=root, server_source=SERVER_SOURCE, on_line=told.append, cancelled=lambda: False)
    return str(venvs.python_of(lock, root=root))


def asked(python: str, program: str) -> str:
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.strip()


def test_an_environment_has_its_packages_and_the_server(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("part", "2.0")
    wheels.make("thing", "1.0", needs=("part",))
    lock = locked(wheels.specification("thing"), tmp_path)
    python = build(lock, tmp_path)
    assert asked(python, "import thing, part, estiva_server; print(thing.version, part.version)") == "1.0 2.0"
    assert asked(python, "import sys; print(sys.prefix)") == str(tmp_path / lock.digest)
    assert venvs.is_ready(lock, root=tmp_path, server_source=SERVER_SOURCE)


def test_it_is_built_once(wheels: Wheels, tmp_path: Path, lines: list[str]) -> None:
    wheels.make("thing", "1.0")
    lock = locked(wheels.specification("thing"), tmp_path)
    build(lock, tmp_path)
    assert build(lock, tmp_path, lines) == str(tmp_path / lock.digest / "bin" / "python")
    assert lines == []


def test_an_environment_without_packages(tmp_path: Path) -> None:
    lock = locked(EnvironmentSpecification(name="e"), tmp_path)
    assert asked(build(lock, tmp_path), "import estiva_server.contract as c; print(c.PORT)") == "5001"


def test_two_processes_at_once_build_it_once(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("thing", "1.0")
    lock = locked(wheels.specification("thing"), tmp_path)
    builders = [start_building(lock, tmp_path) for _ in range(2)]
    output = [builder.communicate(timeout=60)[0] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0]
    assert "".join(output).count("+ thing==1.0") == 1
    assert asked(str(venvs.python_of(lock, root=tmp_path)), "import thing; print(thing.version)") == "1.0"


def start_building(lock: Lock, root: Path) -> subprocess.Popen[str]:
    program = (
        "import sys; from pathlib import Path\n"
        "from estiva.environments import venvs; from estiva.records import Lock\n"
        "venvs.build(Lock.model_validate_json(sys.stdin.read()), root=Path(sys.argv[1]),\n"
        "    server_source=Path(sys.argv[2]), on_line=lambda line: print(line, flush=True), cancelled=bool)\n"
    )
    command = [sys.executable, "-c", program, str(root), str(SERVER_SOURCE)]
    builder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert builder.stdin
    builder.stdin.write(lock.model_dump_json())
    builder.stdin.close()
    builder.stdin = None
    return builder


def from_index(index: PackageIndex) -> EnvironmentSpecification:
    options = (f"--index-url {index.url}",)
    return EnvironmentSpecification(name="e", pip_packages=("thing",), pip_options=options)


def test_a_builder_that_is_killed_leaves_nothing_that_hurts_the_next(
    wheels: Wheels, index: PackageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    wheels.make("thing", "1.0")
    lock = locked(from_index(index), tmp_path)
    shutil.rmtree(tmp_path / "cache")
    index.asked.clear()
    index.silent = True
    with start_building(lock, tmp_path) as builder:
        assert index.asked.wait(60)
        orphans = psutil.Process(builder.pid).children()
        (orphan,) = [each for each in orphans if lock.digest in " ".join(each.cmdline())]
        builder.kill()
    assert (tmp_path / lock.digest).is_dir()
    assert not folders.is_complete(tmp_path / lock.digest, lock.digest)
    assert orphan.is_running()
    index.silent = False
    assert asked(build(lock, tmp_path), "import thing; print(thing.version)") == "1.0"
    assert not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in orphans)


@pytest.mark.parametrize("rounds", [6, pytest.param(30, marks=pytest.mark.slow)])
def test_a_builder_may_be_killed_at_any_moment(wheels: Wheels, tmp_path: Path, rounds: int) -> None:
    wheels.make("thing", "1.0")
    lock = locked(wheels.specification("thing"), tmp_path)
    random = Random(rounds)
    began = time.monotonic()
    with start_building(lock, tmp_path) as builder:
        builder.communicate(timeout=60)
    whole = time.monotonic() - began
    for _ in range(rounds):
        folder, marker = tmp_path / lock.digest, tmp_path / lock.digest / folders.MARKER
        marker.unlink(missing_ok=True)
        with start_building(lock, tmp_path) as builder:
            with suppress(subprocess.TimeoutExpired):
                builder.wait(random.uniform(0, whole))
            builder.kill()
        if folders.is_complete(folder, lock.digest):
            python = str(folder / "bin" / "python")
            assert asked(python, "import thing; print(thing.version)") == "1.0"
    assert asked(build(lock, tmp_path), "import thing, estiva_server; print(thing.version)") == "1.0"


def test_two_builds_of_one_lock_have_the_same_files(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("part", "2.0")
    wheels.make("thing", "1.0", needs=("part",))
    lock = locked(wheels.specification("thing"), tmp_path)
    folder = tmp_path / lock.digest
    trees = []
    for _ in range(2):
        build(lock, tmp_path)
        files = (path for path in folder.rglob("*") if path.is_file() and path.name != folders.MARKER)
        trees.append({path.relative_to(folder): path.read_bytes() for path in files})
        shutil.rmtree(folder)
    assert trees[0].keys() == trees[1].keys()
    assert [path for path in trees[0] if trees[0][path] != trees[1][path]] == []


@pytest.mark.parametrize("when", [0.0, 4e9])
def test_a_clock_that_is_wrong_changes_nothing(
    wheels: Wheels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: float
) -> None:
    wheels.make("thing", "1.0")
    lock = locked(wheels.specification("thing"), tmp_path)
    monkeypatch.setattr(time, "time", lambda: when)
    build(lock, tmp_path)
    monkeypatch.undo()
    for path in (tmp_path / lock.digest).iterdir():
        os.utime(path, (when, when), follow_symlinks=False)
    assert venvs.is_ready(lock, root=tmp_path, server_source=SERVER_SOURCE)


def test_a_cache_that_cannot_be_written_is_said(
    wheels: Wheels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels.make("thing", "1.0")
    lock = locked(wheels.specification("thing"), tmp_path)
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(EnvironmentException, match=str(tmp_path / "cache")) as caught:
        build(lock, tmp_path)
    assert caught.value.code == "CacheUnusable"
    assert not (tmp_path / lock.digest).exists()


def test_cancelling_leaves_nothing(
    wheels: Wheels, index: PackageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    wheels.make("thing", "1.0")
    lock = locked(from_index(index), tmp_path)
    shutil.rmtree(tmp_path / "cache")
    index.asked.clear()
    index.silent = True
    with pytest.raises(EnvironmentException) as caught:
        venvs.build(
            lock,
            root=tmp_path,
            server_source=SERVER_SOURCE,
            on_line=lambda _: None,
            cancelled=index.asked.is_set,
        )
    assert caught.value.code == "Cancelled"
    assert not (tmp_path / lock.digest).exists()


def test_a_file_that_was_replaced_after_locking_is_refused(
    wheels: Wheels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    wheels.make("thing", "1.0")
    lock = locked(wheels.specification("thing"), tmp_path)
    shutil.rmtree(tmp_path / "cache")
    wheels.make("thing", "1.0", source="import evil\n")
    with pytest.raises(
        EnvironmentException, match=r"for thing==1\.0 is not the one that was locked"
    ) as caught:
        build(lock, tmp_path)
    assert caught.value.code == "HashMismatch"
    assert not (tmp_path / lock.digest).exists()


def test_an_interpreter_that_is_gone_is_named(tmp_path: Path) -> None:
    lock = locked(EnvironmentSpecification(name="e"), tmp_path)
    gone = lock.model_copy(update={"python": str(tmp_path / "python3.11")})
    with pytest.raises(EnvironmentException, match="is gone") as caught:
        build(gone, tmp_path)
    assert caught.value.code == "PythonNotFound"
    assert not venvs.is_ready(gone, root=tmp_path, server_source=SERVER_SOURCE)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 2 MB."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("a small file system needs root on Linux")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_nothing_is_left(wheels: Wheels, small_disk: Path, tmp_path: Path) -> None:
    wheels.make("thing", "1.0", source=f"large = {secrets.token_hex(3_000_000)!r}\n")
    lock = locked(wheels.specification("thing"), tmp_path)
    with pytest.raises(EnvironmentException, match="The disk is full") as caught:
        build(lock, small_disk)
    assert caught.value.code == "DiskFull"
    assert not (small_disk / lock.digest).exists()


def test_a_disk_too_full_for_the_server(small_disk: Path, tmp_path: Path) -> None:
    lock = locked(EnvironmentSpecification(name="e"), tmp_path)
    with pytest.raises(EnvironmentException, match="The disk is full"):
        build(lock, small_disk)
    assert not list(small_disk.glob("server-*-cp*/*"))


def borrowed(python: Path) -> Lock:
    found = interpreters.find(None, str(python))
    return locks.borrow(EnvironmentSpecification(name="e", borrowed_from=str(python)), found)


def test_a_borrowed_environment_sees_what_is_installed_there_editable_installs_included(
    wheels: Wheels, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "theirs")], check=True)
    theirs = next((tmp_path / "theirs").glob("lib/python*/site-packages"))
    (theirs / "installed.py").write_text("version = 1\n")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "editable.py").write_text("version = 2\n")
    (theirs / "__editable__.project.pth").write_text(f"{tmp_path / 'project'}\n")
    python = build(borrowed(tmp_path / "theirs" / "bin" / "python"), tmp_path)
    assert asked(python, "import installed, editable; print(installed.version, editable.version)") == "1 2"
    (theirs / "installed.py").write_text("version = 3\n\n")
    assert asked(python, "import installed, sys; print(installed.version)") == "3"
    assert asked(python, "import sys; print(sys.path[-1])").startswith(str(tmp_path / "server-"))


def test_many_threads_at_once(wheels: Wheels, tmp_path: Path, lines: list[str]) -> None:
    wheels.make("thing", "1.0")
    lock = locked(wheels.specification("thing"), tmp_path)
    threads = [threading.Thread(target=build, args=(lock, tmp_path, lines)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum("+ thing==1.0" in line for line in lines) == 1
    assert venvs.is_ready(lock, root=tmp_path, server_source=SERVER_SOURCE)
