"""The loop around `autoscale.decide`: what the gateway sees goes in, and what is wanted goes into the store.

Nothing but the wanted number outlives the control server. The next one begins with that number, and takes it
for what was needed until a while of its own observations says otherwise.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import structlog

from estiva.control import capacity
from estiva.control.autoscale import History, decide
from estiva.control.publishing import pool
from estiva.control.stages import Stages
from estiva.errors import EstivaError
from estiva.machine import machine
from estiva.records import AutoscalePolicy, Load, LoadSample, Service, ServiceKey, ServiceState

log = structlog.get_logger()

_LONGEST_PAUSE_SECONDS = 1.0
"""Until a service that is new, or scales automatically from now on, is looked at."""
_SHORTEST_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Watched:
    """What is remembered of a service from one look at it to the next."""

    load: Load
    history: History


class Autoscaler:
    """One thread for all services; each is looked at when its refresh is due."""

    def __init__(self, stages: Stages, wake: Callable[[], None]) -> None:
        """`wake` is called when another number is wanted."""
        self._stages = stages
        self._wake = wake
        self._due: dict[ServiceKey, float] = {}
        self._watched: dict[ServiceKey, Watched] = {}
        self._machine = machine()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="autoscale", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self._look(time.monotonic())
            except Exception:  # a store that is busy, or a defect, must not end the loop
                log.exception("autoscaling raised")
            self._stopping.wait(self._pause())

    def _pause(self) -> float:
        soonest = min(self._due.values(), default=math.inf) - time.monotonic()
        return min(max(soonest, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)

    def _look(self, now: float) -> None:
        services = {
            service.key: service for service in self._stages.store.services() if follows_load(service)
        }
        self._due = {key: due for key, due in self._due.items() if key in services}
        self._watched = {key: watched for key, watched in self._watched.items() if key in services}
        loads = cache(self._loads)  # asked once for each workspace
        for key, service in services.items():
            policy = service.scaling.autoscale
            if policy and now >= self._due.get(key, now):
                self._due[key] = now + policy.refresh_seconds
                self._attend(service, policy, loads(key.workspace).get(pool(key)), now)

    def _loads(self, workspace: str) -> Mapping[str, Load]:
        """None where the gateway does not answer."""
        try:
            return self._stages.publisher.loads(workspace)
        except EstivaError as error:
            log.warning("load not known", workspace=workspace, code=error.code, error=str(error))
            return {}

    def _attend(self, service: Service, policy: AutoscalePolicy, load: Load | None, now: float) -> None:
        """A service that cannot be looked at keeps its number, and holds up no other."""
        if load is None:
            return
        try:
            self._watched[service.key] = self._scale(service, self._possible(service, policy), load, now)
        except EstivaError as error:
            log.warning("not autoscaled", service=str(service.key), code=error.code, error=str(error))
        except Exception:
            log.exception("autoscaling raised", service=str(service.key))

    def _scale(self, service: Service, policy: AutoscalePolicy, load: Load, now: float) -> Watched:
        watched, present = self._watched.get(service.key), service.scaling.replicas
        history = watched.history if watched else History(replicas=present)
        history = history.model_copy(update={"replicas": present})  # it may have been changed by hand
        decision = decide(sample(load, watched.load if watched else None, now), policy, history)
        if decision.wanted != present:
            self._want(service, decision.wanted, decision.reason)
        return Watched(load, decision.history)

    def _want(self, service: Service, replicas: int, reason: str) -> None:
        wanted = service.scaling.model_copy(update={"replicas": replicas, "reason": reason})
        # Not if somebody has set another policy meanwhile: that one decides, at the next look.
        if self._stages.store.rescale(service.key, service.scaling, wanted):
            log.info("autoscaled", service=str(service.key), replicas=replicas, reason=reason)
            self._wake()

    def _possible(self, service: Service, policy: AutoscalePolicy) -> AutoscalePolicy:
        """With the concurrency that the replicas tell, and no more of them than this machine has room for."""
        number = service.serving or service.desired
        settings = self._stages.store.generation_settings(service.key, number)
        replicas = self._stages.fleet.observe(service.key).of(number)
        told = max((replica.capacity for replica in replicas), default=0)
        # With a debugger one replica gets all requests, and what waits for a breakpoint needs no other.
        most = 1 if settings.debugger else capacity.room(settings, self._machine)
        return policy.model_copy(
            update={
                "concurrency": told or settings.replica_max_concurrent_requests,
                "max_replicas": min(policy.max_replicas, most),
            }
        )


def follows_load(service: Service) -> bool:
    """Whether there is a load, and a number that goes by it."""
    serves = service.serving is not None and service.state is not ServiceState.DELETING
    return serves and service.scaling.autoscale is not None


def sample(load: Load, before: Load | None, now: float) -> LoadSample:
    """What came since the look before: of the first one that is not known, and a reload begins at 0."""
    if before is None:
        since, rejected = load.requests, load.rejected
    elif before.process == load.process:
        since, rejected = before.requests, before.rejected
    else:
        since, rejected = 0, 0
    return LoadSample(
        time=now,
        busy=load.busy,
        queued=load.queued,
        arrivals=load.requests - since,
        rejected=load.rejected - rejected,
    )
