from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva import sizing
from estiva.errors import UserErrorException


def test_the_published_example() -> None:
    assert sizing.replicas(rps=20, seconds=10, concurrency=1, utilization=0.7) == 286


@pytest.mark.parametrize(
    ("rps", "seconds", "concurrency", "utilization", "expected"),
    [
        (21, 0.1, 1, 0.7, 3),  # exactly; in floating point 2.1 / 0.7 is above 3
        (22, 0.1, 1, 0.7, 4),
        (20, 10, 4, 0.7, 72),
        (0, 10, 1, 0.7, 1),
        (1, 1, 1, 1, 1),
    ],
)
def test_replicas(rps: float, seconds: float, concurrency: int, utilization: float, expected: int) -> None:
    assert sizing.replicas(rps, seconds, concurrency, utilization) == expected


@given(
    rps=st.floats(0, 1e4),
    seconds=st.floats(0, 1e3),
    concurrency=st.integers(1, 100),
    utilization=st.floats(0.01, 1),
)
def test_it_is_the_least_number_that_keeps_to_the_utilization(
    rps: float, seconds: float, concurrency: int, utilization: float
) -> None:
    replicas = sizing.replicas(rps, seconds, concurrency, utilization)
    room = concurrency * utilization
    assert replicas * room >= rps * seconds - 1e-6
    assert replicas == 1 or (replicas - 1) * room < rps * seconds


@pytest.mark.parametrize("text", ["70", "70%", "0.7", ".7", " 70 % "])
def test_one_utilization_in_many_forms(text: str) -> None:
    assert sizing.read_utilization(text) == 0.7


@pytest.mark.parametrize(("text", "fraction"), [("1", 1.0), ("1%", 0.01), ("1.5", 0.015), ("100", 1.0)])
def test_a_number_above_one_is_a_percentage(text: str, fraction: float) -> None:
    assert sizing.read_utilization(text) == pytest.approx(fraction)


@pytest.mark.parametrize("text", ["", "many", "-3", "0", "0%", "101", "7e1", "nan", "70 percent"])
def test_what_is_no_utilization(text: str) -> None:
    with pytest.raises(UserErrorException, match="utilization"):
        sizing.read_utilization(text)


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ((-1, 1, 1, 0.7), "requests per second must be 0 or more, not -1"),
        ((math.inf, 1, 1, 0.7), "requests per second must be 0 or more, not inf"),
        ((1, math.nan, 1, 0.7), "seconds per request must be 0 or more, not nan"),
        ((1, 1, 0, 0.7), "concurrency of a replica must be 1 or more, not 0"),
        ((1, 1, 1, 1.2), "utilization must be above 0 and at most 1, not 1.2"),
    ],
)
def test_figures_without_an_answer(figures: tuple[float, float, int, float], told: str) -> None:
    with pytest.raises(UserErrorException, match=told):
        sizing.replicas(*figures)
