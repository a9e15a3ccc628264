"""Every rule on every trace, and what comes of it: the share of 503s, and what the replicas cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import mean

from benchmarks.scaling import traces
from benchmarks.scaling.gateway import Result, Settings, simulate
from benchmarks.scaling.rules import NAMES, rule
from benchmarks.scaling.traces import Request, Trace
from estiva.records import AutoscalePolicy

DEFAULT = AutoscalePolicy()
MOST_REPLICAS = 20
"""Above the default, so that all rules are compared by what they decide and not by where they are stopped."""
STARTS = (1.0, 10.0, 60.0)
"""Seconds that a replica takes to start."""
TARGETS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5)
SEEDS = {"tuning": (1, 2), "held out": (31, 32)}
SETS = {"tuning": traces.tuning(), "held out": traces.held_out()}


@dataclass(frozen=True)
class Case:
    """One run, as it is asked for."""

    rule: str
    target: float
    start_seconds: float
    set: str
    trace: int
    seed: int


@dataclass(frozen=True)
class Outcome:
    """`cost` is in replica-seconds for each second of work that came."""

    rejected_share: float
    cost: float
    utilization: float
    changes: float


def run(case: Case) -> Result:
    trace = SETS[case.set][case.trace]
    update = {"target_utilization": case.target, "max_replicas": MOST_REPLICAS}
    policy = DEFAULT.model_copy(update=update)
    begin = max(1, math.ceil(trace.rate(0.0) / DEFAULT.target_utilization))
    settings = Settings(start_seconds=case.start_seconds, replicas=begin)
    chosen = rule(case.rule, policy, begin)
    return simulate(_requests(case.set, case.trace, case.seed), trace.seconds, chosen, settings)


def outcome(case: Case) -> Outcome:
    result = run(case)
    work = sum(request.run_seconds for request in _requests(case.set, case.trace, case.seed))
    return Outcome(result.rejected_share, result.replica_seconds / work, result.utilization, result.changes)


@lru_cache(maxsize=64)
def _requests(name: str, trace: int, seed: int) -> list[Request]:
    return SETS[name][trace].requests(seed)


def cases(targets: Sequence[float] = TARGETS) -> list[Case]:
    return [
        Case(name, target, start, kind, number, seed)
        for kind, found in SETS.items()
        for number in range(len(found))
        for seed in SEEDS[kind]
        for start in STARTS
        for name in NAMES
        for target in targets
    ]


def compare(chosen: Sequence[Case], executor: Executor) -> dict[Case, Outcome]:
    return dict(zip(chosen, executor.map(outcome, chosen, chunksize=len(TARGETS)), strict=True))


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """The mean, in which every trace counts the same."""
    found = list(outcomes)
    names = ("rejected_share", "cost", "utilization", "changes")
    return Outcome(**{name: mean(getattr(one, name) for one in found) for name in names})


@dataclass(frozen=True)
class Curve:
    """One rule on one set of traces with one start time, for each target utilization."""

    rule: str
    points: dict[float, Outcome]

    def rejected_share_at(self, cost: float) -> float | None:
        """On the line of logarithms between the points beside that cost; None outside of all points."""
        ordered = sorted(self.points.values(), key=lambda point: point.cost)
        for low, high in pairwise(ordered):
            if low.cost <= cost < high.cost and min(low.rejected_share, high.rejected_share) > 0:
                part = (cost - low.cost) / (high.cost - low.cost)
                return float(low.rejected_share ** (1 - part) * high.rejected_share**part)
        return None


def curves(outcomes: dict[Case, Outcome], kind: str, start: float) -> list[Curve]:
    return [
        Curve(name, {target: together(_of(outcomes, name, kind, start, target)) for target in TARGETS})
        for name in NAMES
    ]


def _of(outcomes: dict[Case, Outcome], name: str, kind: str, start: float, target: float) -> list[Outcome]:
    wanted = (name, target, start, kind)
    return [
        x for case, x in outcomes.items() if (case.rule, case.target, case.start_seconds, case.set) == wanted
    ]


def of_trace(outcomes: dict[Case, Outcome], name: str, kind: str, start: float, trace: Trace) -> Outcome:
    """At the default target, over the seeds."""
    number = SETS[kind].index(trace)
    target = DEFAULT.target_utilization
    return together(outcomes[Case(name, target, start, kind, number, seed)] for seed in SEEDS[kind])
