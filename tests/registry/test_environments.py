from __future__ import annotations

import pytest

from estiva.errors import EnvironmentException
from estiva.records import EnvironmentSpecification, Lock
from estiva.registry.store import Store


def _specification(name: str = "sklearn", *packages: str) -> EnvironmentSpecification:
    return EnvironmentSpecification(name=name, pip_packages=packages, variables={"A": "1"})


def test_an_environment_is_read_as_it_was_registered(store: Store) -> None:
    added = store.add_environment("lab", _specification())
    assert (added.name, added.version, added.specification) == ("sklearn", "1", _specification())
    assert store.environment("lab", "sklearn") == store.environment("lab", "sklearn", "1") == added


def test_only_a_change_makes_a_version(store: Store) -> None:
    first = store.add_environment("lab", _specification("sklearn", "numpy"))
    assert store.add_environment("lab", _specification("sklearn", "numpy")) == first
    assert store.add_environment("lab", _specification("sklearn", "scipy")).version == "2"
    assert store.add_environment("lab", _specification("sklearn", "numpy")).version == "3"


def test_ten_is_newer_than_nine(store: Store) -> None:
    for number in range(10):
        store.add_environment("lab", _specification("sklearn", f"numpy=={number}"))
    assert store.environment("lab", "sklearn").version == "10"


def test_the_newest_of_each_name_is_listed(store: Store) -> None:
    store.add_environment("lab", _specification("torch"))
    store.add_environment("lab", _specification())
    newest = store.add_environment("lab", _specification("sklearn", "numpy"))
    assert [(found.name, found.version) for found in store.environments("lab")] == [
        ("sklearn", "2"),
        ("torch", "1"),
    ]
    assert newest in store.environments("lab")


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        ("skleran", None, "Did you mean sklearn?"),
        ("sklearn", "2", "Its versions are: 1."),
        ("sklearn", "latest", "Its versions are: 1."),
        ("torch", None, "List the environments"),
    ],
)
def test_an_environment_that_is_not_there(store: Store, name: str, version: str | None, said: str) -> None:
    store.add_environment("lab", _specification())
    with pytest.raises(EnvironmentException) as caught:
        store.environment("lab", name, version)
    assert said in caught.value.message
    assert caught.value.code == "EnvironmentNotFound"


def _lock(platform: str = "linux", requirements: str = "numpy==1.26.4\n") -> Lock:
    return Lock(python="/p", python_version="3.11.7", platform=platform, requirements=requirements)


def test_the_first_lock_of_a_version_stands_for_each_platform(store: Store) -> None:
    store.add_environment("lab", _specification())
    assert store.locks("lab", "sklearn", "1") == []
    assert store.keep_lock("lab", "sklearn", "1", _lock()) == _lock()
    assert store.keep_lock("lab", "sklearn", "1", _lock(requirements="numpy==2\n")) == _lock()
    store.keep_lock("lab", "sklearn", "1", _lock("mac"))
    assert store.locks("lab", "sklearn", "1") == [_lock(), _lock("mac")]
    with pytest.raises(EnvironmentException, match="Its versions are: 1"):
        store.keep_lock("lab", "sklearn", "2", _lock())


def test_an_update_is_a_version_with_its_lock(store: Store) -> None:
    store.add_environment("lab", _specification())
    store.keep_lock("lab", "sklearn", "1", _lock())
    newer = _lock(requirements="numpy==2\n")
    updated = store.update_environment("lab", "sklearn", newer)
    assert (updated.version, updated.specification) == ("2", _specification())
    assert store.locks("lab", "sklearn", "2") == [newer]
    assert store.locks("lab", "sklearn", "1") == [_lock()]


def test_locks_go_with_their_workspace(store: Store) -> None:
    store.add_environment("lab", _specification())
    store.keep_lock("lab", "sklearn", "1", _lock())
    store.delete_workspace("lab")
    assert store.locks("lab", "sklearn", "1") == []


def test_a_version_that_may_not_be_there(store: Store) -> None:
    added = store.add_environment("lab", _specification())
    assert store.find_environment("lab", "sklearn", "1") == added
    assert store.find_environment("lab", "sklearn", "2") is None
    assert store.find_environment("elsewhere", "sklearn", "1") is None
