"""Versions of environments keep their packages, whatever the package index has later."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from estiva.control import locking
from estiva.control.stages import Stages
from estiva.environments import locks
from estiva.errors import EnvironmentException
from estiva.home import Home
from estiva.messages import LockedEnvironment
from estiva.records import EnvironmentSpecification, Workspace
from tests.environments.conftest import Wheels


@pytest.fixture
def stages(home: Home) -> Iterator[Stages]:
    opened = Stages.open(home)
    opened.store.create_workspace(Workspace(name="lab"))
    yield opened
    opened.store.close()


@pytest.fixture
def wheels(tmp_path: Path) -> Wheels:
    (tmp_path / "wheels").mkdir()
    return Wheels(tmp_path / "wheels")


def packages(
    stages: Stages,
    asked: EnvironmentSpecification,
    version: str | None,
    needed: EnvironmentSpecification | None = None,
) -> tuple[str, ...]:
    lock = locking.lock(stages, "lab", asked, version, sys.executable, print, lambda: False, needed=needed)
    assert Path(lock.python).exists()
    return locks.packages(lock)


def update(stages: Stages, *names: str) -> LockedEnvironment:
    return locking.update(stages, "lab", "e", names, sys.executable, print, lambda: False)


def forget(stages: Stages) -> None:
    """As on another machine, or after a cleaning: what is not in the registry is gone."""
    shutil.rmtree(stages.environments.root / "locks")


def test_a_version_has_the_same_packages_for_ever(stages: Stages, wheels: Wheels) -> None:
    wheels.make("thing", "1.0")
    spec = wheels.specification("thing")
    version = stages.store.add_environment("lab", spec).version
    assert packages(stages, spec, version) == ("thing==1.0",)
    wheels.make("thing", "2.0")
    forget(stages)
    assert packages(stages, spec, version) == ("thing==1.0",)
    assert packages(stages, spec, None) == ("thing==2.0",)
    changed = spec.model_copy(update={"pip_packages": ("thing>1",)})
    assert packages(stages, changed, version) == ("thing==2.0",)
    assert packages(stages, spec, "7") == ("thing==2.0",)


def test_what_a_script_takes_besides_changes_nothing_else(stages: Stages, wheels: Wheels) -> None:
    wheels.make("thing", "1.0")
    spec = wheels.specification("thing")
    version = stages.store.add_environment("lab", spec).version
    packages(stages, spec, version)
    wheels.make("thing", "2.0")
    wheels.make("implied", "1.0")
    needed = wheels.specification("thing", "implied")
    assert packages(stages, spec, version, needed) == ("implied==1.0", "thing==1.0")


def test_the_next_version_changes_only_what_it_must(stages: Stages, wheels: Wheels) -> None:
    wheels.make("thing", "1.0")
    first = wheels.specification("thing")
    packages(stages, first, stages.store.add_environment("lab", first).version)
    wheels.make("thing", "2.0")
    wheels.make("more", "1.0")
    second = wheels.specification("thing", "more")
    added = stages.store.add_environment("lab", second)
    assert packages(stages, second, added.version) == ("more==1.0", "thing==1.0")


def test_an_update_is_a_new_version_and_says_what_changed(stages: Stages, wheels: Wheels) -> None:
    for name in ("thing", "other"):
        wheels.make(name, "1.0")
    spec = wheels.specification("thing", "other")
    stages.store.add_environment("lab", spec)
    assert (update(stages).version, update(stages).changes) == ("1", ())
    for name in ("thing", "other"):
        wheels.make(name, "2.0")
    updated = update(stages, "thing")
    assert (updated.version, updated.changes) == ("2", ("thing 1.0 -> 2.0",))
    assert update(stages).changes == ("other 1.0 -> 2.0",)
    found = [packages(stages, spec, version) for version in ("1", "2", "3")]
    assert found == [
        ("other==1.0", "thing==1.0"),
        ("other==1.0", "thing==2.0"),
        ("other==2.0", "thing==2.0"),
    ]


def test_a_borrowed_environment_is_not_kept(stages: Stages) -> None:
    spec = EnvironmentSpecification(name="e", borrowed_from=sys.executable)
    version = stages.store.add_environment("lab", spec).version
    assert packages(stages, spec, version)
    assert stages.store.locks("lab", "e", version) == []
    with pytest.raises(EnvironmentException, match="update them"):
        update(stages)


@pytest.mark.network
def test_a_lock_for_another_platform_is_kept_beside(stages: Stages) -> None:
    spec = EnvironmentSpecification(name="e", python_version="3.11", pip_packages=("pyyaml==6.0.2",))
    environment = stages.store.add_environment("lab", spec)
    for platform in (None, "osx-arm64"):
        locking.of_version(stages, "lab", environment, sys.executable, print, lambda: False, platform)
    kept = {lock.platform: locks.packages(lock) for lock in stages.store.locks("lab", "e", "1")}
    assert len(kept) == 2
    assert kept["macosx-arm64-cpython-311"] == ("pyyaml==6.0.2",)
