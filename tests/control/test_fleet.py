"""A fleet of two real process targets with homes of their own: what counts here is who is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from estiva import targets
from estiva.control.fleet import Fleet
from estiva.errors import TargetException
from estiva.records import Service, ServiceKey, ServiceState, TargetKind, Workspace
from estiva.registry.store import Store
from estiva.targets import Target
from tests.registry.samples import generation, spec

KEY = ServiceKey(workspace="lab", service="scores")
ENGINE_AWAY = "The engine does not answer."


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'registry.db'}")
    opened.create_workspace(Workspace(name="lab"))
    yield opened
    opened.close()


@pytest.fixture
def fleet(store: Store, tmp_path: Path) -> Fleet:
    def opened() -> Target:
        return targets.load("process", root=tmp_path / "replicas", runtime=tmp_path)

    def away() -> Target:
        raise TargetException(ENGINE_AWAY, code="EngineUnavailable")

    return Fleet(store, {"process": opened, "docker": away})


def add_service(store: Store, *kinds: TargetKind) -> None:
    """A service whose generations were deployed to these, in this order."""
    first, *later = kinds
    service = Service(key=KEY, state=ServiceState.HEALTHY, targets=(first,), desired=1)
    store.create_service(service, generation(of=spec().model_copy(update={"target": first})))
    for kind in later:
        store.add_generation(KEY, spec().model_copy(update={"target": kind}), "update")


def test_an_engine_that_is_away_does_not_matter_to_processes(store: Store, fleet: Fleet) -> None:
    add_service(store, "process")
    assert fleet.observe(KEY).replicas == ()
    fleet.delete(KEY)
    fleet.end_strangers([])


def test_it_matters_to_a_service_that_was_deployed_there(store: Store, fleet: Fleet) -> None:
    add_service(store, "process", "docker")
    with pytest.raises(TargetException, match=ENGINE_AWAY):
        fleet.observe(KEY)


def test_it_does_not_matter_to_a_service_that_has_left_it(store: Store, fleet: Fleet) -> None:
    add_service(store, "docker", "process")
    assert fleet.observe(KEY).replicas == ()
    assert fleet.logs(KEY) == []
    fleet.delete(KEY)


def test_it_does_not_matter_to_a_trial_that_is_a_process(fleet: Fleet) -> None:
    fleet.end_strangers([])
    trial = KEY.model_copy(update={"service": "try-1"})
    assert fleet.observe(trial).replicas == ()
    fleet.delete(trial)


@pytest.mark.parametrize(
    ("kinds", "known"),
    [
        (["process"], ("process",)),
        (["process", "process"], ("process",)),
        (["process", "docker"], ("process", "docker")),
        (["process", "docker", "process"], ("docker", "process")),
    ],
)
def test_a_service_is_looked_for_where_it_ever_ran(
    store: Store, kinds: list[TargetKind], known: tuple[TargetKind, ...]
) -> None:
    add_service(store, *kinds)
    assert store.service(KEY).targets == known


def test_strangers_end(store: Store, fleet: Fleet, tmp_path: Path) -> None:
    for name in ("scores", "try-1"):
        (tmp_path / "replicas" / "lab" / name / "1").mkdir(parents=True)
    fleet.end_strangers([KEY])
    assert fleet.target("process").keys() == (KEY,)
