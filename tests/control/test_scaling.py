from __future__ import annotations

import pytest

from estiva.control.scaling import changed, check_gateway, initial
from estiva.errors import GatewayException, WebserviceException
from estiva.messages import ScalingRequest
from estiva.records import AutoscalePolicy, Scaling, ServiceKind

POLICY = AutoscalePolicy()
AUTOMATIC = Scaling(replicas=4, autoscale=POLICY, reason="4 busy")


@pytest.mark.parametrize(
    ("kind", "wanted", "scaling"),
    [
        ("local", ScalingRequest(), Scaling()),
        ("kubernetes", ScalingRequest(), Scaling(autoscale=POLICY)),
        ("kubernetes", ScalingRequest(replicas=3), Scaling(replicas=3)),
        (
            "kubernetes",
            ScalingRequest(autoscale=True, min_replicas=2, target_utilization=0.5),
            Scaling(replicas=2, autoscale=AutoscalePolicy(min_replicas=2, target_utilization=0.5)),
        ),
        (
            "kubernetes",
            ScalingRequest(min_replicas=0),
            Scaling(replicas=1, autoscale=AutoscalePolicy(min_replicas=0)),
        ),
    ],
)
def test_a_new_service(kind: ServiceKind, wanted: ScalingRequest, scaling: Scaling) -> None:
    assert initial(kind, wanted) == scaling


@pytest.mark.parametrize(
    ("before", "wanted", "scaling"),
    [
        (AUTOMATIC, ScalingRequest(), AUTOMATIC),
        (AUTOMATIC, ScalingRequest(replicas=2), Scaling(replicas=2)),
        (AUTOMATIC, ScalingRequest(autoscale=False), Scaling(replicas=4)),
        (AUTOMATIC, ScalingRequest(autoscale=True), AUTOMATIC),
        (Scaling(replicas=0, autoscale=POLICY), ScalingRequest(autoscale=False), Scaling(replicas=1)),
        (Scaling(replicas=3), ScalingRequest(autoscale=True), Scaling(replicas=3, autoscale=POLICY)),
    ],
)
def test_a_change(before: Scaling, wanted: ScalingRequest, scaling: Scaling) -> None:
    assert changed(before, wanted) == scaling


def test_bounds_hold_at_once_and_the_others_stay() -> None:
    fewer = changed(AUTOMATIC, ScalingRequest(max_replicas=2))
    assert (fewer.replicas, fewer.autoscale) == (2, AutoscalePolicy(max_replicas=2))
    more = changed(fewer, ScalingRequest(min_replicas=2, target_utilization=0.9))
    assert more.autoscale == AutoscalePolicy(min_replicas=2, max_replicas=2, target_utilization=0.9)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (
            ScalingRequest(replicas=2, autoscale=True),
            "Give a number of replicas, or what autoscaling goes by",
        ),
        (
            ScalingRequest(replicas=2, max_replicas=3),
            "Give a number of replicas, or what autoscaling goes by",
        ),
        (ScalingRequest(autoscale=False, max_replicas=3), "max_replicas can only be set while"),
        (ScalingRequest(min_replicas=11), r"min_replicas \(11\) must not exceed max_replicas \(10\)"),
    ],
)
def test_contradictions(wanted: ScalingRequest, problem: str) -> None:
    with pytest.raises(WebserviceException, match=problem):
        changed(Scaling(), wanted)


def test_only_a_gateway_sees_the_load() -> None:
    check_gateway(Scaling(replicas=2), available=False)
    with pytest.raises(GatewayException, match="scales automatically by what HAProxy sees"):
        check_gateway(AUTOMATIC, available=False)
