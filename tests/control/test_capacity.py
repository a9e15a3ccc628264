from __future__ import annotations

import pytest

from estiva.control.capacity import capped, room
from estiva.machine import Machine
from estiva.records import AutoscalePolicy, Scaling, ServiceSettings

_GB = 1000**3
HERE = Machine(cpus=4, memory=8 * _GB)


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        (ServiceSettings(), 16),
        (ServiceSettings(cpu_reserved=0.5), 8),
        (ServiceSettings(memory_reserved=3 * _GB), 2),
        (ServiceSettings(cpu_reserved=0.1, memory_reserved=_GB // 10), 40),
        (ServiceSettings(cpu_reserved=64), 1),
    ],
)
def test_as_many_as_have_what_they_reserve(settings: ServiceSettings, most: int) -> None:
    assert room(settings, HERE) == most


def test_more_than_there_is_room_for_is_said() -> None:
    few = ServiceSettings(cpu_reserved=2, memory_reserved=_GB)
    assert capped(Scaling(replicas=2), few, HERE) == Scaling(replicas=2)
    many = capped(Scaling(replicas=5), few, HERE)
    assert many.replicas == 2
    assert many.limit == (
        "At most 2 of 5 replicas: this machine has 4 CPUs and 8.0 GB, and each replica reserves 2 CPUs and "
        "1 GB."
    )
    assert capped(many.model_copy(update={"replicas": 1}), few, HERE).limit == ""


def test_the_bounds_of_autoscaling_stay_as_they_were_set() -> None:
    scaling = Scaling(replicas=20, autoscale=AutoscalePolicy(max_replicas=20))
    found = capped(scaling, ServiceSettings(), HERE)
    assert (found.replicas, found.autoscale) == (16, scaling.autoscale)
    assert found.limit.endswith(
        "a replica that does not say what it needs is taken to need 0.1 CPUs and 0.5 GB."
    )
