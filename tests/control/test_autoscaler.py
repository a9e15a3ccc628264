from __future__ import annotations

from typing import Any

import pytest

from estiva.control.autoscaler import follows_load, sample
from estiva.records import AutoscalePolicy, Load, LoadSample, Scaling, ServiceState
from tests.registry.samples import service


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
