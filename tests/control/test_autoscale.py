from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.scaling.gateway import Result, Settings, simulate
from benchmarks.scaling.rules import Estiva
from benchmarks.scaling.traces import Request, Trace, steady
from estiva.control.autoscale import Decision, History, decide, run_seconds
from estiva.records import AutoscalePolicy, LoadSample

POLICY = AutoscalePolicy()


def load(time: float, busy: int = 0, queued: int = 0, arrivals: int = 0, rejected: int = 0) -> LoadSample:
    return LoadSample(time=time, busy=busy, queued=queued, arrivals=arrivals, rejected=rejected)


def decisions(loads: Iterable[LoadSample], replicas: int = 1, **policy: Any) -> list[Decision]:
    made: list[Decision] = []
    history = History(replicas=replicas)
    for seen in loads:
        made.append(decide(seen, POLICY.model_copy(update=policy), history))
        history = made[-1].history
    return made


def wanted(loads: Iterable[LoadSample], replicas: int = 1, **policy: Any) -> list[int]:
    return [decision.wanted for decision in decisions(loads, replicas, **policy)]


def constant(busy: int, seconds: int, begin: int = 0) -> list[LoadSample]:
    """Requests of one second each, `busy` of which begin and end each second."""
    return [load(begin + second, busy=busy, arrivals=busy) for second in range(seconds)]


def test_the_formula() -> None:
    assert wanted(constant(busy=5, seconds=3))[-1] == math.ceil(5 / 0.7)
    assert wanted(constant(busy=5, seconds=3), concurrency=4)[-1] == math.ceil(5 / 0.7 / 4)
    assert wanted(constant(busy=5, seconds=3), target_utilization=0.5)[-1] == 10


def test_up_by_all_that_is_needed_at_the_next_observation() -> None:
    assert wanted([*constant(1, 30), *constant(6, 1, begin=30)])[29:] == [2, 9]


def test_down_when_a_minute_has_needed_less() -> None:
    made = wanted([*constant(6, 10), *constant(1, 70, begin=10)])
    assert made[9] == 9
    assert made[10 + 58] == 9
    assert made[10 + 60] == 2


def test_never_fewer_than_what_runs() -> None:
    long = [load(0, busy=8, arrivals=8), *(load(second, busy=8) for second in range(1, 200))]
    assert wanted(long, replicas=8, shrink_seconds=0, target_utilization=2)[-1] == 8


def test_requests_that_were_turned_away_count() -> None:
    """One replica, 0.1 s each: 10 a second get in, and the queue says no more than 5 whatever comes."""
    calm = [load(second, busy=1, arrivals=10) for second in range(10)]
    flood = [
        load(10, busy=1, queued=5, arrivals=60, rejected=45),
        load(11, busy=1, queued=5, arrivals=60, rejected=50),
    ]
    made = decisions([*calm, *flood])
    assert made[-1].wanted == 9
    assert "60.0 requests/s x 0.1 s = 6.0 at a time" in made[-1].reason


def test_short_requests_that_wait_do_not_each_need_a_replica() -> None:
    calm = [load(second, busy=1, arrivals=10) for second in range(10)]
    assert wanted([*calm, load(10, busy=1, queued=5, arrivals=15)])[-1] == 3


def test_long_requests_that_wait_do() -> None:
    assert wanted([load(0), load(1, busy=1, queued=4, arrivals=5)])[-1] == math.ceil(5 / 0.7)


def test_before_any_has_ended_those_turned_away_are_added() -> None:
    loads = [load(0), load(1, busy=1, arrivals=4, rejected=3), load(2, busy=1, arrivals=2, rejected=2)]
    assert wanted(loads)[-1] == math.ceil((1 + 5) / 0.7)


def test_what_is_there_at_the_beginning_stays_for_a_minute() -> None:
    made = wanted(constant(1, 70), replicas=7)
    assert made[:60] == [7] * 60
    assert made[60:] == [2] * 10


def test_the_bounds() -> None:
    assert wanted(constant(50, 3)) == [10] * 3
    assert wanted(constant(0, 3), min_replicas=3) == [3] * 3
    assert wanted(constant(0, 100), replicas=4)[-1] == 1


def test_to_zero_when_nothing_has_come_for_long() -> None:
    quiet = [*constant(1, 5), *(load(second) for second in range(5, 400))]
    made = wanted(quiet, min_replicas=0, idle_seconds=120)
    assert made[4 + 119] == 1
    assert made[4 + 120] == 0
    assert made[-1] == 0


def test_from_zero_when_a_request_waits() -> None:
    asleep = [load(0), load(1), load(2, queued=1, arrivals=1), load(3, queued=1), load(4)]
    made = wanted(asleep, replicas=0, min_replicas=0)
    assert made[:2] == [0, 0]
    assert made[2] >= 1
    assert made[4] >= 1


def test_zero_only_where_it_is_allowed() -> None:
    assert wanted([load(second) for second in range(0, 2000, 10)])[-1] == 1


@pytest.mark.parametrize(
    ("loads", "replicas", "policy", "reason"),
    [
        ([load(0)], 1, {}, "0 requests, none of which has ended yet, need 0 at 70%; the least is 1"),
        ([load(0, busy=2, queued=1)], 1, {}, "3 requests, none of which has ended yet, need 5 at 70%"),
        (
            constant(7, 3),
            1,
            {"max_replicas": 5},
            "7.0 requests/s x 1 s = 7.0 at a time need 10 at 70%; the most is 5",
        ),
        (
            constant(7, 3),
            9,
            {"concurrency": 2},
            "7.0 requests/s x 1 s = 7.0 at a time need 5 at 70% of 2 each; 9 were needed in the last 60 s",
        ),
        (
            [*constant(1, 3), load(3, busy=2, queued=3, arrivals=5)],
            1,
            {},
            "2 running and 3 waiting requests of 1.33 s need 8 at 70%",
        ),
    ],
)
def test_the_reason_says_from_what_it_follows(
    loads: list[LoadSample], replicas: int, policy: dict[str, Any], reason: str
) -> None:
    assert decisions(loads, replicas, **policy)[-1].reason == reason


def test_the_run_time_follows_from_what_is_seen() -> None:
    assert run_seconds(constant(3, 10)) == pytest.approx(1.0)
    assert run_seconds([load(second, busy=2, arrivals=20) for second in range(10)]) == pytest.approx(0.1)
    assert run_seconds([load(0)]) is None
    assert run_seconds([load(0), load(1, busy=1, arrivals=1)]) is None


def test_a_clock_that_stands_still_is_no_division_by_zero() -> None:
    assert wanted([load(5, busy=1, arrivals=1)] * 3)[-1] == 2


observed = st.lists(
    st.builds(
        lambda busy, queued, rejected, more: (busy, queued, rejected, rejected + more),
        st.integers(0, 50),
        st.integers(0, 50),
        st.integers(0, 50),
        st.integers(0, 50),
    ),
    min_size=1,
    max_size=90,
)


def series(figures: list[tuple[int, int, int, int]], refresh: float = 1.0) -> list[LoadSample]:
    return [
        load(number * refresh, busy, queued, arrivals, rejected)
        for number, (busy, queued, rejected, arrivals) in enumerate(figures)
    ]


@given(
    figures=observed,
    least=st.integers(0, 5),
    more=st.integers(1, 20),
    refresh=st.sampled_from([0.5, 1.0, 7.0, 90.0]),
    replicas=st.integers(0, 30),
)
def test_always_within_the_bounds(
    figures: list[tuple[int, int, int, int]], least: int, more: int, refresh: float, replicas: int
) -> None:
    most = max(1, least) + more
    made = wanted(
        series(figures, refresh),
        replicas,
        min_replicas=least,
        max_replicas=most,
        refresh_seconds=refresh,
    )
    assert all(least <= number <= most for number in made)


@given(figures=observed)
def test_shrinking_leaves_room_for_what_is_there(figures: list[tuple[int, int, int, int]]) -> None:
    loads = series(figures)
    made = [5, *wanted(loads, replicas=5, shrink_seconds=3)]
    for (before, after), seen in zip(pairwise(made), loads, strict=True):
        assert after >= before or after >= min(seen.busy + seen.queued, POLICY.max_replicas)


@given(figures=observed, busy=st.integers(0, 30), queued=st.integers(0, 30))
def test_more_at_the_gateway_never_wants_fewer(
    figures: list[tuple[int, int, int, int]], busy: int, queued: int
) -> None:
    *before, last = series(figures)
    fuller = last.model_copy(update={"busy": last.busy + busy, "queued": last.queued + queued})
    # Once requests have ended: before that, a longer run time is only one of the ways to see it.
    assume(run_seconds([*before, fuller]) is not None)
    less, more = (wanted([*before, end], max_replicas=1000)[-1] for end in (last, fuller))
    assert more >= less


@given(figures=observed)
def test_what_is_observed_at_the_gateway_is_met_at_once(figures: list[tuple[int, int, int, int]]) -> None:
    """With requests of a second and more the target utilization holds from the moment of the observation."""
    loads = [seen.model_copy(update={"arrivals": 0, "rejected": 0}) for seen in series(figures)]
    for seen, number in zip(loads, wanted(loads, max_replicas=1000), strict=True):
        assert seen.busy <= number * POLICY.target_utilization + 1e-6


@pytest.mark.parametrize("run", [0.1, 1.0, 5.0])
def test_chance_does_not_make_it_flap(run: float) -> None:
    """A constant load of 4 requests at a time, an hour of it: a change a minute would be flapping."""
    trace = Trace("constant", 3600, steady(4), 4, run)
    result = simulate(trace.requests(5), trace.seconds, Estiva(POLICY, 6), Settings(replicas=6))
    assert _times_down(result) < 60


def _times_down(result: Result) -> int:
    return sum(after.wanted < before.wanted for before, after in pairwise(result.points))


@pytest.mark.parametrize("run", [0.05, 0.1, 0.5])
def test_a_spike_is_met_within_two_seconds(run: float) -> None:
    """From one request a second to six replicas' worth, which nearly all are turned away at first."""
    calm = [Request(float(second), run) for second in range(30)]
    flood = [Request(30 + number * run / 6, run) for number in range(int(20 * 6 / run))]
    result = simulate([*calm, *flood], 60, Estiva(POLICY, 1), Settings(start_seconds=10))
    assert {point.time: point.wanted for point in result.points}[32.0] >= 8
