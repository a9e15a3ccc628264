"""What to do about a service next: what is wanted against what is observed. Pure.

A service has two lanes, with one action at a time in each, so that a generation that takes minutes to come
up holds up nothing of the one that serves. What must not overlap, and how it is kept apart:

- DELETE overlaps with nothing. It interrupts both lanes, and begins when both are empty.
- RETIRE never meets a generation that is being deployed: while one may be, only what is older than the
  serving one is `retirable`.
- Without a gateway, or with a debugger, a new generation takes the port of the old one, so the lanes take
  turns.
- The service's state is the deployment's while there is one: an ailing replica does not end "Transitioning".

All else may overlap. RESTORE and SCALE touch the serving generation alone, and the publisher computes and
applies routes under one lock.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from estiva.records import GenerationState, Observation, ReplicaPhase, Service, ServiceState


class Lane(str, Enum):
    DEPLOY = "deploy"
    """Brings up the newest generation, and ends the service."""
    SERVE = "serve"
    """Keeps the generation that serves as it is wanted."""


class Action(str, Enum):
    DELETE = "delete"
    DEPLOY = "deploy"
    RESTORE = "restore"
    SCALE = "scale"
    PUBLISH = "publish"
    RETIRE = "retire"
    MARK_HEALTHY = "mark healthy"


def next_deployment(service: Service, desired: GenerationState) -> Action | None:
    """What the lane DEPLOY has to do; `desired` is the state of the newest generation."""
    if service.state is ServiceState.DELETING:
        return Action.DELETE
    return Action.DEPLOY if desired is GenerationState.PENDING else None


def next_upkeep(
    service: Service, observation: Observation, wanted: int, published: bool, deploying: bool
) -> Action | None:
    """What the lane SERVE has to do.

    `wanted` is the number of replicas that are to serve, `published` whether the gateway serves exactly those
    that are ready, `deploying` whether a newer generation is, or is about to be, in the other lane.
    """
    if service.state is ServiceState.DELETING:
        return None
    retires = retirable(service, observation, deploying)
    if service.serving is None:
        return Action.RETIRE if retires else None
    serving = observation.of(service.serving)
    alive = [replica for replica in serving if replica.phase is not ReplicaPhase.EXITED]
    kept = [replica for replica in serving if replica.index < wanted]
    none = not alive and not service.scaling.to_zero
    if none or any(replica.phase is ReplicaPhase.EXITED for replica in kept):
        return Action.RESTORE
    if not published:
        return Action.PUBLISH
    if len(kept) < wanted:
        return Action.SCALE
    if retires:
        return Action.RETIRE
    if len(kept) < len(serving):
        return Action.SCALE
    ready = all(replica.phase is ReplicaPhase.READY for replica in alive)
    if ready and service.state is not ServiceState.HEALTHY and not deploying:
        return Action.MARK_HEALTHY
    return None


def retirable(service: Service, observation: Observation, deploying: bool) -> frozenset[int]:
    """Generations that run and are never wanted again.

    Once retirable, always retirable, if `deploying` was found out before `service` was read: a deployment
    that ended in between has put its generation into the record.
    """
    newest = (service.serving or 0) if deploying else service.desired
    running = {replica.generation for replica in observation.replicas}
    return frozenset(number for number in running if number <= newest and number != service.serving)


def to_begin(
    deployment: Action | None, upkeep: Action | None, busy: Collection[Lane], apart: bool
) -> dict[Lane, Action]:
    """Which of the two may begin now, while the lanes in `busy` have an action that goes on.

    `apart`: no generation needs a port that another has.
    """
    alone = deployment is Action.DELETE or not apart
    if alone and busy:
        return {}
    chosen = {Lane.DEPLOY: deployment, Lane.SERVE: None if alone and deployment else upkeep}
    return {lane: action for lane, action in chosen.items() if action is not None and lane not in busy}
