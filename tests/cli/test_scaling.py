from __future__ import annotations

from typing import Any

import pytest

from estiva.cli import scaling
from estiva.errors import UserErrorException

NOTHING: dict[str, Any] = {
    "replicas": None,
    "minimum": None,
    "maximum": None,
    "utilization": None,
    "idle": None,
}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"replicas": 3}, {"replicas": 3}),
        ({"auto": True}, {"autoscale": True}),
        ({"auto": False}, {"autoscale": False}),
        (
            {"minimum": 0, "maximum": 4, "idle": 60.0},
            {"min_replicas": 0, "max_replicas": 4, "idle_seconds": 60.0},
        ),
        ({"utilization": "0.5"}, {"target_utilization": 50}),
    ],
)
def test_what_is_given_to_scale(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert scaling.wanted(**{**NOTHING, "auto": None, **given}) == wanted


def test_scale_needs_to_be_told_something() -> None:
    with pytest.raises(UserErrorException, match="Say how many replicas are to serve"):
        scaling.wanted(**NOTHING, auto=None)


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        ({}, {}),
        ({"replicas": 3}, {"num_replicas": 3}),
        (
            {"maximum": 4, "utilization": "70%"},
            {"autoscale_enabled": True, "autoscale_max_replicas": 4, "autoscale_target_utilization": 70},
        ),
    ],
)
def test_what_is_given_to_deploy(given: dict[str, Any], parameters: dict[str, Any]) -> None:
    assert scaling.parameters(True, **{**NOTHING, **given}) == parameters


def test_a_local_service_is_scaled_afterwards() -> None:
    assert scaling.parameters(False, **NOTHING) == {}
    with pytest.raises(UserErrorException, match="estiva service scale NAME 3"):
        scaling.parameters(False, **{**NOTHING, "replicas": 3})
