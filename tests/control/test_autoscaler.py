from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from estiva.control.autoscaler import Autoscaler, follows_load, sample
from estiva.control.publishing import Publisher, pool
from estiva.control.stages import Stages
from estiva.home import Home
from estiva.records import AutoscalePolicy, Load, LoadSample, Scaling, ServiceState, Workspace
from tests.registry.samples import generation, service


def load(**fields: Any) -> Load:
    none = {"busy": 0, "queued": 0, "ready": 1, "requests": 0, "rejected": 0, "errors": 0, "process": 7}
    return Load.model_validate({"route": "service:sum", "version": "default", **none, **fields})


def test_what_came_is_the_difference_between_two_looks() -> None:
    before = load(requests=100, rejected=10)
    now = load(requests=130, rejected=12, busy=2, queued=5)
    assert sample(now, before, 8.5) == LoadSample(time=8.5, busy=2, queued=5, arrivals=30, rejected=2)


def test_of_what_came_before_the_first_look_nothing_is_known() -> None:
    assert sample(load(requests=100, rejected=10, busy=1), None, 1) == LoadSample(
        time=1, busy=1, queued=0, arrivals=0, rejected=0
    )


@pytest.mark.parametrize("since_reload", [3, 300])
def test_a_gateway_that_was_reloaded_counts_from_0(since_reload: int) -> None:
    now = load(requests=since_reload, rejected=1, process=8)
    seen = sample(now, load(requests=100, rejected=10), 1)
    assert (seen.arrivals, seen.rejected) == (since_reload, 1)


SCALES = service().model_copy(
    update={
        "serving": 1,
        "state": ServiceState.HEALTHY,
        "scaling": Scaling(autoscale=AutoscalePolicy()),
    }
)


@pytest.mark.parametrize(
    ("changes", "follows"),
    [
        ({}, True),
        ({"scaling": Scaling(replicas=2)}, False),
        ({"serving": None}, False),
        ({"state": ServiceState.DELETING}, False),
    ],
)
def test_only_what_serves_and_scales_follows_its_load(changes: dict[str, Any], follows: bool) -> None:
    assert follows_load(SCALES.model_copy(update=changes)) is follows


class Flooded(Publisher):
    """Sees two requests that run in each service."""

    def loads(self, workspace: str) -> dict[str, Load]:
        return {pool(one.key): load(busy=2) for one in self._store.services(workspace)}


@pytest.fixture
def stages(home: Home) -> Iterator[Stages]:
    opened = Stages.open(home)
    opened.store.create_workspace(Workspace(name="lab"))
    yield replace(opened, publisher=Flooded(home, opened.store, opened.fleet, opened.access))
    opened.store.close()


def test_a_service_that_cannot_be_looked_at_holds_up_no_other(stages: Stages) -> None:
    broken, sound = (SCALES.key.model_copy(update={"service": name}) for name in ("broken", "sound"))
    for key, serving in ((broken, 7), (sound, 1)):  # there is no generation 7
        scales = SCALES.model_copy(update={"key": key, "serving": serving})
        stages.store.create_service(scales, generation())
    woken = threading.Event()
    autoscaler = Autoscaler(stages, woken.set)
    autoscaler.start()
    try:
        assert woken.wait(30)
    finally:
        autoscaler.stop()
    scaling = stages.store.service(sound).scaling
    assert (scaling.replicas, scaling.autoscale) == (3, AutoscalePolicy())
    assert scaling.reason == "2 requests, none of which has ended yet, need 3 at 70%"
    assert stages.store.service(broken).scaling == SCALES.scaling
