from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from estiva.environments import interpreters, server
from estiva.environments.server import ServerFolder
from estiva.records import Lock
from tests.environments.conftest import SERVER_SOURCE

pytestmark = pytest.mark.network


@pytest.fixture
def lock() -> Lock:
    python = interpreters.find(None, sys.executable)
    return Lock(python=python.path, python_version=python.version, platform=python.platform, requirements="")


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    return tmp_path / "venv"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the server's source that a test may change."""
    return Path(
        shutil.copytree(SERVER_SOURCE, tmp_path / "source", ignore=shutil.ignore_patterns("__pycache__"))
    )


def attach(folder: ServerFolder, lock: Lock, venv: Path) -> list[str]:
    lines: list[str] = []
    folder.make(lock.python, on_line=lines.append, cancelled=lambda: False)
    folder.attach(venv)
    return lines


def asked(venv: Path, program: str) -> str:
    done = subprocess.run(
        [venv / "bin" / "python", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_environment_finds_the_server_and_its_dependency_behind_everything_else(
    lock: Lock, venv: Path, source: Path, tmp_path: Path
) -> None:
    folder = ServerFolder.of(lock, root=tmp_path, source=source)
    assert folder.path.name.startswith("server-")
    assert folder.path.name.endswith("-cp{}{}".format(*sys.version_info))
    assert not folder.is_attached(venv)
    assert attach(folder, lock, venv)[0] == "Installing the scoring server."
    assert folder.is_attached(venv)
    assert asked(venv, "import estiva_server; print(estiva_server.__file__)").startswith(str(folder.path))
    assert asked(venv, "import granian; print(granian.__file__)").startswith(str(folder.path))
    assert asked(venv, "import sys; print(sys.path[-1])") == str(folder.path)


def test_the_second_environment_reuses_the_folder(
    lock: Lock, venv: Path, source: Path, tmp_path: Path
) -> None:
    folder = ServerFolder.of(lock, root=tmp_path, source=source)
    attach(folder, lock, venv)
    shutil.copytree(venv, tmp_path / "second", symlinks=True)
    (server.site_packages(tmp_path / "second") / server.PTH).unlink()
    assert attach(folder, lock, tmp_path / "second") == []
    assert folder.is_attached(tmp_path / "second")


def test_a_changed_server_gets_a_folder_of_its_own(
    lock: Lock, venv: Path, source: Path, tmp_path: Path
) -> None:
    first = ServerFolder.of(lock, root=tmp_path, source=source)
    attach(first, lock, venv)
    with (source / "__init__.py").open("a") as file:
        file.write("\nchanged = True\n")
    second = ServerFolder.of(lock, root=tmp_path, source=source)
    assert second.path != first.path
    assert not second.is_attached(venv)
    attach(second, lock, venv)
    assert asked(venv, "import estiva_server; print(estiva_server.changed)") == "True"
    assert first.path.is_dir(), "what runs may still need it"


def test_another_release_of_the_server_in_the_environment_is_not_mixed_with_ours(
    lock: Lock, venv: Path, source: Path, tmp_path: Path
) -> None:
    (server.site_packages(venv) / "estiva_server.py").write_text("raise ImportError('not this one')\n")
    folder = ServerFolder.of(lock, root=tmp_path, source=source)
    attach(folder, lock, venv)
    assert asked(venv, "import estiva_server; print(estiva_server.__file__)").startswith(str(folder.path))


def test_a_package_of_the_user_wins_over_the_dependency_of_the_same_name(
    lock: Lock, venv: Path, source: Path, tmp_path: Path
) -> None:
    (server.site_packages(venv) / "click.py").write_text("mine = True\n")
    attach(ServerFolder.of(lock, root=tmp_path, source=source), lock, venv)
    assert asked(venv, "import click; print(click.mine)") == "True"


def test_the_stand_ins_work_in_any_python_started_there(
    lock: Lock, venv: Path, source: Path, tmp_path: Path
) -> None:
    attach(ServerFolder.of(lock, root=tmp_path, source=source), lock, venv)
    assert asked(venv, "from azureml.core.model import Model; print(Model.__name__)") == "Model"


def test_many_at_once_install_it_once(lock: Lock, venv: Path, source: Path, tmp_path: Path) -> None:
    folder = ServerFolder.of(lock, root=tmp_path, source=source)
    lines: list[str] = []
    threads = [threading.Thread(target=lambda: lines.extend(attach(folder, lock, venv))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(line.startswith("Installing the scoring server") for line in lines) == 1
    assert folder.is_attached(venv)
