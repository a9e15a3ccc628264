"""How many replicas a service should have: a pure function of what the gateway sees each second.

The demand is the number of requests that would run at a time if none had to wait or was turned away. It is
the larger of two figures:

- what is there: busy + queued requests, as in the published definition of utilization. Of requests that are
  shorter than a refresh, one that waits counts for its share: ten of 0.1 s occupy one replica for a second.
- what comes: arrivals per second of the last 2 seconds times the seconds that a request runs (Little's law).
  Requests that were answered 503 count like all others: a queue that turns requests away no longer grows, so
  it would say too little just when most is needed. A run time above 2 seconds widens the window to itself.

Replicas needed = ceil(demand / target utilization / concurrency). What is needed now is wanted at once; fewer
are wanted when fewer have been enough for `shrink_seconds`, so that chance does not move them to and fro.

How long a request runs is not measured: it follows from the requests that were seen running during the last
minute and the number that ended meanwhile (Little's law once more). A few short requests may never be seen at
all, so while requests are turned away, when every replica is known to run all the time, the last 2 seconds
have a say too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from estiva.records import AutoscalePolicy, LoadSample, Record
from estiva.sizing import replicas_for

RATE_SECONDS = 2.0
"""Over which arrivals are counted: a spike is to be met within this time, and less is mostly chance."""
MEMORY_SECONDS = 60.0
"""Over which the run time is found."""


class Need(Record):
    """How many replicas an observation called for."""

    time: float
    replicas: int


class History(Record):
    """All that one decision hands to the next; `History(replicas=n)` is the first, with n replicas there."""

    replicas: int
    """What was wanted last."""
    loads: tuple[LoadSample, ...] = ()
    needs: tuple[Need, ...] = ()
    active: float = 0.0
    """When the last request was seen."""


class Decision(Record):
    wanted: int
    reason: str
    """A sentence for the log and for people: from which figures the number follows."""
    history: History


@dataclass(frozen=True)
class Demand:
    """Requests that would run at a time if there were replicas for all, and how that is known."""

    requests: float
    explanation: str


def decide(load: LoadSample, policy: AutoscalePolicy, history: History) -> Decision:
    """How many replicas are wanted, from what is seen now and what was seen before."""
    loads = (*_between(history.loads, load.time - MEMORY_SECONDS, load.time), load)
    demand = estimate(loads, policy.refresh_seconds)
    need = Need(
        time=load.time,
        replicas=replicas_for(demand.requests, policy.concurrency, policy.target_utilization),
    )
    # What is there at the beginning was needed, as far as anyone knows.
    before = history.needs if history.loads else (Need(time=load.time, replicas=history.replicas),)
    needs = (*(old for old in before if old.time > load.time - policy.shrink_seconds), need)
    active = load.time if _has_requests(load) or not history.loads else history.active
    idle = not _has_requests(load) and (history.replicas == 0 or load.time - active >= policy.idle_seconds)
    to_zero = idle and policy.min_replicas == 0
    least = 0 if to_zero else max(1, policy.min_replicas)
    held = 0 if to_zero else max(old.replicas for old in needs)
    kept = min(history.replicas, math.ceil((load.busy + load.queued) / policy.concurrency))
    wanted = min(policy.max_replicas, max(least, held, kept))
    return Decision(
        wanted=wanted,
        reason=_reason(demand, need.replicas, wanted, policy, load.time - active),
        history=History(replicas=wanted, loads=loads, needs=needs, active=active),
    )


def estimate(loads: Sequence[LoadSample], refresh_seconds: float) -> Demand:
    """The demand at the last of the observations, the oldest of which comes first."""
    now, run = loads[-1], _run_seconds(loads, refresh_seconds)
    if run is None:
        # None of those that were turned away would have ended yet, had it been let in.
        all_of_them = now.busy + now.queued + sum(load.rejected for load in loads)
        return Demand(all_of_them, f"{all_of_them} requests, none of which has ended yet,")
    there: float = now.busy + now.queued * min(1.0, run / refresh_seconds)
    rate = arrival_rate(loads, max(RATE_SECONDS, run) / refresh_seconds)
    if there > rate * run:
        return Demand(there, f"{now.busy} running and {now.queued} waiting requests of {run:.3g} s")
    return Demand(rate * run, f"{rate:.1f} requests/s x {run:.3g} s = {rate * run:.1f} at a time")


def _run_seconds(loads: Sequence[LoadSample], refresh_seconds: float) -> float | None:
    run = run_seconds(loads)
    recent = loads[-1 - max(1, round(RATE_SECONDS / refresh_seconds)) :]
    saturated = run_seconds(recent) if any(load.rejected for load in recent[1:]) else None
    if run is None or saturated is None:
        return run
    # What runs for longer than a refresh cannot be missed, and is better known from a minute.
    return max(run, min(saturated, refresh_seconds))


def run_seconds(loads: Sequence[LoadSample]) -> float | None:
    """Mean seconds that a request runs; None while none has ended.

    Little's law: the time that all spent running, divided by the number of those that ended.
    """
    first, last = loads[0], loads[-1]
    entered = sum(load.arrivals - load.rejected for load in loads[1:])
    ended = entered - (last.busy + last.queued) + (first.busy + first.queued)
    spent = sum(load.busy * (load.time - before.time) for before, load in pairwise(loads))
    return spent / ended if ended > 0 else None


def arrival_rate(loads: Sequence[LoadSample], refreshes: float) -> float:
    """Arrivals per second over the last so many refreshes; needs two observations."""
    count = min(round(refreshes), len(loads) - 1)
    recent = loads[-max(1, count) :]
    return sum(load.arrivals for load in recent) / (loads[-1].time - loads[-1 - len(recent)].time)


def _between(loads: Sequence[LoadSample], begin: float, end: float) -> tuple[LoadSample, ...]:
    return tuple(load for load in loads if begin <= load.time < end)


def _has_requests(load: LoadSample) -> bool:
    return load.busy + load.queued + load.arrivals + load.rejected > 0


def _reason(demand: Demand, needed: int, wanted: int, policy: AutoscalePolicy, idle_seconds: float) -> str:
    if wanted == 0:
        return f"no request came for {idle_seconds:.0f} s"
    each = "" if policy.concurrency == 1 else f" of {policy.concurrency} each"
    text = f"{demand.explanation} need {needed} at {policy.target_utilization:.0%}{each}"
    if wanted == needed:
        return text
    if wanted < needed:
        return f"{text}; the most is {wanted}"
    if wanted == max(1, policy.min_replicas):
        return f"{text}; the least is {wanted}"
    return f"{text}; {wanted} were needed in the last {policy.shrink_seconds:g} s"
