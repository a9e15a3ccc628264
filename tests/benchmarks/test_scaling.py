"""The simulator gives the figures of queueing theory, and the published rules do what was published."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from benchmarks.scaling.comparison import Case, Curve, Outcome, outcome
from benchmarks.scaling.gateway import Result, Sample, Settings, simulate
from benchmarks.scaling.rules import NAMES, AzuremlFe, Fixed, Knative, rule
from benchmarks.scaling.traces import Request, Trace, bursts, steady
from estiva.records import AutoscalePolicy, LoadSample

POLICY = AutoscalePolicy()


def fixed(trace: Trace, replicas: int, wait: float, concurrency: int = 1) -> Result:
    settings = Settings(concurrency=concurrency, wait_seconds=wait, replicas=replicas)
    return simulate(trace.requests(1), trace.seconds, Fixed(replicas), settings)


def erlang_b(load: float, servers: int) -> float:
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


def erlang_c(load: float, servers: int) -> float:
    blocked = erlang_b(load, servers)
    return blocked / (1 - load / servers * (1 - blocked))


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_without_a_queue_it_blocks_as_erlang_b_says_whatever_the_run_times(spread: float) -> None:
    trace = Trace("steady", 5000, steady(4), 4, 0.5, spread)
    assert fixed(trace, replicas=5, wait=0).rejected_share == pytest.approx(erlang_b(4, 5), abs=0.012)


@pytest.mark.parametrize(("replicas", "concurrency"), [(5, 1), (1, 5)])
def test_with_an_endless_queue_it_waits_as_erlang_c_says(replicas: int, concurrency: int) -> None:
    trace = Trace("steady", 10_000, steady(3.5), 3.5, 0.5, spread=1.0)
    result = fixed(trace, replicas, wait=math.inf, concurrency=concurrency)
    waited = sum(wait > 0 for wait in result.waits) / len(result.waits)
    assert result.rejected == 0
    assert waited == pytest.approx(erlang_c(3.5, 5), abs=0.03)
    mean = sum(result.waits) / len(result.waits)
    assert mean == pytest.approx(erlang_c(3.5, 5) * 0.5 / (5 - 3.5), rel=0.15)


def test_a_request_waits_so_long_and_no_longer() -> None:
    """Three at once for one replica, a second each: HAProxy answered the second and third 503 after 0.5 s."""
    result = simulate([Request(1.0, 1.0)] * 3, 5, Fixed(1), Settings())
    assert (result.requests, result.rejected) == (3, 2)
    assert result.busy_seconds == pytest.approx(1.0)


def test_the_queue_is_in_order_of_arrival() -> None:
    requests = [Request(1.0, 0.3), Request(1.05, 0.1), Request(1.1, 0.1)]
    result = simulate(requests, 5, Fixed(1), Settings())
    assert result.waits == pytest.approx([0.0, 0.25, 0.3])


class Falls:
    """Wants four replicas at first, then one."""

    refresh_seconds = 1.0

    def wanted(self, sample: Sample) -> int:
        return 4 if sample.load.time < 10 else 1


def test_replicas_cost_from_their_start_until_they_have_drained() -> None:
    busy = [Request(9.5, 4.0)] * 4
    result = simulate(busy, 20, Falls(), Settings(start_seconds=2, replicas=1))
    assert result.rejected == 0
    # One for 20 s; three from 1 s, of which none may go at 10 s before its request has ended at 13.5 s.
    assert result.replica_seconds == pytest.approx(20 + 3 * 12.5)
    ready = {point.time: point.ready for point in result.points}
    assert (ready[2.0], ready[4.0], ready[11.0]) == (1, 4, 1)


def test_a_trace_is_the_same_each_time_and_other_for_another_seed() -> None:
    trace = Trace("bursts", 100, bursts(1, 5, 1, 10, 10, 100), 5, 0.5)
    assert trace.requests(1) == trace.requests(1)
    assert trace.requests(1) != trace.requests(2)


def test_a_trace_brings_the_work_that_it_says() -> None:
    trace = Trace("steady", 4000, steady(2), 4, 0.5)
    work = sum(request.run_seconds for request in trace.requests(1))
    assert work == pytest.approx(2 * 4000, rel=0.05)


def sample(time: float, busy: int, ready: int) -> Sample:
    return Sample(LoadSample(time=time, busy=busy, queued=0, arrivals=0, rejected=0), ready, float(busy))


def test_azureml_fe_adds_at_once_and_removes_after_a_minute() -> None:
    judge = AzuremlFe(POLICY, replicas=1)
    assert judge.wanted(sample(1, busy=3, ready=1)) == 5
    assert [judge.wanted(sample(t, busy=1, ready=5)) for t in (2, 60, 61)] == [5, 5, 2]


def test_knative_panics_at_twice_the_target_and_calms_down_after_a_minute() -> None:
    judge = Knative(POLICY, replicas=1)
    for time in range(2, 62, 2):
        assert judge.wanted(sample(time, busy=1, ready=2)) == 2
    # The short window's mean is (1 + 1 + 7) / 3: five replicas, more than twice the two that are ready.
    assert judge.wanted(sample(62, busy=7, ready=2)) == 5
    assert all(judge.wanted(sample(time, busy=1, ready=5)) == 5 for time in range(64, 124, 2))
    assert judge.wanted(sample(124, busy=1, ready=5)) == 2


def test_knative_does_not_panic_below_that() -> None:
    judge = Knative(POLICY, replicas=1)
    for time in range(2, 62, 2):
        judge.wanted(sample(time, busy=2, ready=3))
    assert judge.wanted(sample(62, busy=4, ready=3)) == 3


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_keeps_to_the_bounds(name: str) -> None:
    judge = rule(name, AutoscalePolicy(min_replicas=2, max_replicas=4), 2)
    made = [
        judge.wanted(sample(float(t), busy, 2))
        for t, busy in zip(range(2, 40, 2), [0, 50] * 10, strict=False)
    ]
    assert set(made) <= {2, 3, 4}


def test_a_case_has_one_outcome() -> None:
    case = Case("Estiva", 0.7, 1.0, "tuning", 2, 1)
    first = outcome(case)
    assert first == outcome(case)
    assert 0 <= first.rejected_share < 0.1
    assert first.cost > 1


def test_between_two_points_a_curve_is_a_line_of_logarithms() -> None:
    points = {0.5: Outcome(0.01, 4, 0, 0), 1.0: Outcome(0.04, 2, 0, 0)}
    curve = Curve("x", points)
    assert curve.rejected_share_at(3) == pytest.approx(0.02)
    assert curve.rejected_share_at(5) is None
    assert [curve.rejected_share_at(cost) for cost, _ in pairwise([2.0, 4.0])] == [pytest.approx(0.04)]
