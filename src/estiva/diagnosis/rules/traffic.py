"""Requests that no replica could take, and replicas that died with theirs: what the gateway counted."""

from __future__ import annotations

from estiva import sizing
from estiva.records import Evidence, Finding, Limits, Traffic

_BUSY, _LOST = 503, 502
_AT_REPLICA = "-"
"""The first letter of how it ended, when it was the replica that answered."""


def check(evidence: Evidence) -> Finding | None:
    traffic, limits = evidence.traffic, evidence.limits
    if traffic is None or limits is None:
        return None
    busy = count(traffic, _BUSY)
    if busy:
        return _busy(traffic, limits, busy)
    lost = sum(a.count for a in traffic.answers if a.status == _LOST and a.end[:1] != _AT_REPLICA)
    return _lost(traffic, lost) if lost else None


def count(traffic: Traffic, status: int) -> int:
    return sum(answer.count for answer in traffic.answers if answer.status == status)


def _busy(traffic: Traffic, limits: Limits, busy: int) -> Finding:
    seconds = traffic.run_ms / 1000
    rps = traffic.busiest_rps
    needed = sizing.replicas(rps, seconds, limits.concurrency)
    rule = (
        f"{rps:g} requests/s x {seconds:.3g} s / {sizing.TARGET_UTILIZATION:g} / {limits.concurrency} "
        f"= {needed} replicas"
    )
    return Finding(
        code="ReplicasBusy",
        title=f"{busy} of {traffic.requests} requests found no free replica (503)",
        what=f"They waited {limits.wait_ms} ms for one of {limits.replicas} x {limits.concurrency} places, "
        "and were turned away.",
        why="More came at a time than the replicas take, and the queue lets nobody wait longer.",
        evidence=(
            f"busiest ten seconds: {rps:g} requests/s; a request runs {traffic.run_ms:.0f} ms",
            f"sizing rule: {rule}",
        ),
        todo=_room(limits, needed),
        certainty=0.9,
    )


def _room(limits: Limits, needed: int) -> tuple[str, ...]:
    burst = (
        "For bursts, let requests wait longer: max_request_wait_time of deploy_configuration, in ms.",
        (
            "If run() mostly waits for others: replica_max_concurrent_requests above "
            f"{limits.concurrency}; if it computes, make it faster."
        ),
    )
    if needed > limits.replicas:
        return (f"Scale to {needed}: `estiva service scale NAME {needed}`.", *burst)
    return (f"On average {needed} would do, so the requests came in a burst.", *burst)


def _lost(traffic: Traffic, lost: int) -> Finding:
    return Finding(
        code="ReplicaLost",
        title=f"{lost} of {traffic.requests} requests were at a replica that died (502)",
        what="The replica closed the connection before it answered.",
        why="Its process ended: by a crash, for want of memory, or killed by somebody.",
        evidence=tuple(f"{a.count} x {a.status} {a.end}" for a in traffic.answers if a.status == _LOST),
        todo=("See what it printed last: `estiva service logs NAME`.",),
        certainty=0.7,
    )
