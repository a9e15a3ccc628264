"""The loop that makes what runs equal to what is wanted.

`next_action` is pure: it compares the store with what the target observes. The loop runs one action per
service at a time, each in a thread of its own, so that a slow environment build holds up nobody else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum
from functools import cache

import structlog

from estiva.control import launching
from estiva.control.deployment import Deployment
from estiva.control.stages import Stages
from estiva.errors import EstivaError
from estiva.records import (
    GenerationState,
    Observation,
    ReplicaPhase,
    Service,
    ServiceKey,
    ServiceState,
)

log = structlog.get_logger()

INTERVAL_SECONDS = 0.25
RETRY_SECONDS = 5.0
RESTORE_SECONDS = 0.5
KEPT_GENERATIONS = 10
_PARALLEL_ACTIONS = 16


class Action(str, Enum):
    DELETE = "delete"
    DEPLOY = "deploy"
    RESTORE = "restore"
    SCALE = "scale"
    PUBLISH = "publish"
    RETIRE = "retire"
    MARK_HEALTHY = "mark healthy"


def next_action(
    service: Service, desired: GenerationState, observation: Observation, wanted: int, published: bool
) -> Action | None:
    """What to do about a service, or None if all is as it should be.

    `desired` is the state of the newest generation, `wanted` the number of replicas that are to serve,
    `published` whether the gateway serves exactly those that are ready.
    """
    if service.state is ServiceState.DELETING:
        return Action.DELETE
    if desired is GenerationState.PENDING:
        return Action.DEPLOY
    if service.serving is None:
        return Action.RETIRE if observation.replicas else None
    serving = observation.of(service.serving)
    alive = [replica for replica in serving if replica.phase is not ReplicaPhase.EXITED]
    kept = [replica for replica in serving if replica.index < wanted]
    if not alive or any(replica.phase is ReplicaPhase.EXITED for replica in kept):
        return Action.RESTORE
    if not published:
        return Action.PUBLISH
    if len(kept) < wanted:
        return Action.SCALE
    if len(serving) < len(observation.replicas):
        return Action.RETIRE
    if len(kept) < len(serving):
        return Action.SCALE
    ready = all(replica.phase is ReplicaPhase.READY for replica in alive)
    if ready and service.state is not ServiceState.HEALTHY:
        return Action.MARK_HEALTHY
    return None


def wanted_replicas(stages: Stages, service: Service) -> int:
    """Without a gateway only one replica can have the service's port."""
    return service.scaling.replicas if stages.publisher.available else 1


class Reconciler:
    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="reconcile", daemon=True)
        self._pool = ThreadPoolExecutor(_PARALLEL_ACTIONS, thread_name_prefix="action")
        self._running: dict[ServiceKey, Future[None]] = {}
        self._interrupts: dict[ServiceKey, threading.Event] = {}
        self._guard = threading.Lock()

    def start(self) -> None:
        self._sweep()
        self._thread.start()

    def stop(self) -> None:
        """Interrupts what is under way (the next control server goes on with it) and waits for it to end."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        with self._guard:
            for interrupt in self._interrupts.values():
                interrupt.set()
        self._pool.shutdown(wait=True)

    def wake(self) -> None:
        self._wake.set()

    def interrupt(self, key: ServiceKey) -> None:
        """Ends the deployment of an older generation: a newer one, or a deletion, was accepted."""
        with self._guard:
            if key in self._interrupts:
                self._interrupts[key].set()
        self._wake.set()

    # --- the loop ------------------------------------------------------------------------------------

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._tick()
            except Exception:
                log.exception("reconciling raised")
                self._stopping.wait(RETRY_SECONDS)
            self._wake.wait(INTERVAL_SECONDS)

    def _tick(self) -> None:
        published = cache(self._stages.publisher.is_current)  # asked once a tick for each workspace
        for service in self._stages.store.services():
            if not self._busy(service.key):
                self._submit(service, published)

    def _busy(self, key: ServiceKey) -> bool:
        running = self._running.get(key)
        return running is not None and not running.done()

    def _submit(self, service: Service, published: Callable[[str], bool]) -> None:
        try:
            action = self._decide(service, published)
        except EstivaError as error:  # one that cannot be observed, or was removed meanwhile
            log.warning("not reconciled", service=str(service.key), code=error.code, error=str(error))
            return
        if action is not None:
            interrupt = threading.Event()
            with self._guard:
                self._interrupts[service.key] = interrupt
            self._running[service.key] = self._pool.submit(self._act, action, service.key, interrupt)

    def _decide(self, service: Service, published: Callable[[str], bool]) -> Action | None:
        return next_action(
            service,
            self._stages.store.generation_state(service.key, service.desired),
            self._stages.fleet.observe(service.key),
            wanted_replicas(self._stages, service),
            published(service.key.workspace),
        )

    def _act(self, action: Action, key: ServiceKey, interrupt: threading.Event) -> None:
        """The outermost boundary of an action: a failure, even a bug, must not end the loop."""
        try:
            self._perform(action, key, interrupt)
        except EstivaError as error:
            log.warning(
                "action failed", action=action.value, service=str(key), code=error.code, error=str(error)
            )
            self._stopping.wait(RETRY_SECONDS)
        except Exception:
            log.exception("action raised", action=action.value, service=str(key))
            self._stopping.wait(RETRY_SECONDS)
        self._stages.changes.announce()
        self._wake.set()

    # --- the actions ---------------------------------------------------------------------------------

    def _perform(self, action: Action, key: ServiceKey, interrupt: threading.Event) -> None:
        service = self._stages.store.service(key)
        if action is Action.DEPLOY:
            generation = self._stages.store.generation(key, service.desired)
            Deployment(self._stages, service, generation, interrupt).run()
        elif action is Action.DELETE:
            self._delete(service)
        elif action is Action.RESTORE:
            self._restore(service, interrupt)
        elif action is Action.SCALE:
            self._scale(service, interrupt)
        elif action is Action.PUBLISH:
            self._stages.publisher.publish(key.workspace)
        elif action is Action.RETIRE:
            self._retire(service)
        else:
            self._stages.store.update_service(key, state=ServiceState.HEALTHY)

    def _delete(self, service: Service) -> None:
        self._stages.publisher.publish(service.key.workspace)
        self._stages.fleet.delete(service.key)
        self._stages.store.remove_service(service.key)
        self._stages.prune()
        log.info("service deleted", service=str(service.key))

    def _restore(self, service: Service, interrupt: threading.Event) -> None:
        """Starts replicas of the serving generation that are missing: killed, or gone with a reboot."""
        if service.serving is None:
            return
        self._stages.store.update_service(service.key, state=ServiceState.UNHEALTHY)
        self._apply(service, service.serving, interrupt)
        self._stages.publisher.publish(service.key.workspace)
        log.info("replicas restored", service=str(service.key), generation=service.serving)
        # The target waits longer each time before it starts what keeps dying: no need to ask all the time.
        interrupt.wait(RESTORE_SECONDS)

    def _scale(self, service: Service, interrupt: threading.Event) -> None:
        """Starts what is missing, or ends what is too much, once no request can reach that any more."""
        if service.serving is None:
            return
        replicas = self._stages.fleet.observe(service.key).of(service.serving)
        surplus = [replica for replica in replicas if replica.index >= service.scaling.replicas]
        if all(self._stages.publisher.quiet(service.key, replica) for replica in surplus):
            self._apply(service, service.serving, interrupt)
            log.info("scaled", service=str(service.key), replicas=service.scaling.replicas)

    def _apply(self, service: Service, number: int, interrupt: threading.Event) -> None:
        spec = self._stages.store.generation(service.key, number).spec
        _, python = launching.build_environment(
            self._stages, service.key.workspace, spec, log.debug, interrupt.is_set
        )
        self._stages.fleet.apply(launching.launch(self._stages, service, number, spec, python))

    def _retire(self, service: Service) -> None:
        """Ends replicas of other generations, once no request can reach them any more."""
        fleet, key = self._stages.fleet, service.key
        others = {r.generation for r in fleet.observe(key).replicas if r.generation != service.serving}
        for number in sorted(others):
            replicas = fleet.observe(key).of(number)
            if all(self._stages.publisher.quiet(key, replica) for replica in replicas):
                fleet.stop(key, number)
        self._stages.store.trim_generations(key, KEPT_GENERATIONS)
        fleet.retire(key, keep={generation.number for generation in self._stages.store.generations(key)})

    def _sweep(self) -> None:
        self._stages.fleet.end_strangers({service.key for service in self._stages.store.services()})
