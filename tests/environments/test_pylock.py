from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from estiva.environments import Environments
from estiva.environments.pylock import to_pylock
from estiva.errors import EnvironmentException
from estiva.records import CondaPackage, EnvironmentSpecification, Lock

CONDA = CondaPackage(
    name="thing",
    version="1.0",
    build="h1_0",
    subdir="noarch",
    url="https://me:secret@example.org/noarch/thing-1.0-h1_0.conda",
    sha256="ab" * 32,
)
EMPTY = Lock(python="", python_version="3.11.7", platform="p", requirements="")


def written(lock: Lock) -> str:
    return to_pylock(lock, on_line=lambda _: None, cancelled=lambda: False)


@pytest.mark.network
def test_a_lock_is_written_with_all_files_and_their_hashes(environments: Environments) -> None:
    spec = EnvironmentSpecification(name="e", pip_packages=("six==1.16.0",))
    lock = environments.lock(spec, sys.executable, lambda _: None, lambda: False)
    text = written(lock)
    assert text.startswith('lock-version = "1.0"\n')
    assert 'name = "six"\nversion = "1.16.0"\n' in text
    assert set(re.findall(r'sha256 = "(\w+)"', text)) == set(re.findall(r"sha256:(\w+)", lock.requirements))


def test_conda_packages_are_written_too() -> None:
    assert written(EMPTY.model_copy(update={"conda": (CONDA,)})) == (
        'lock-version = "1.0"\ncreated-by = "estiva"\npackages = []\n\n'
        '[[tool.estiva.conda]]\nname = "thing"\nversion = "1.0"\nbuild = "h1_0"\n'
        f'url = "https://me:***@example.org/noarch/thing-1.0-h1_0.conda"\nsha256 = "{"ab" * 32}"\n'
    )


def test_there_is_nothing_to_write(tmp_path: Path) -> None:
    for lock in (EMPTY, Lock(**{**dict(EMPTY), "requirements": "six==1.16.0\n", "borrowed": True})):
        with pytest.raises(EnvironmentException, match="no locked packages"):
            written(lock)
