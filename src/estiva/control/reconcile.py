"""The loop that makes what runs equal to what is wanted.

`next_action` is pure: it compares the store with what the target observes. The loop runs one action per
service at a time, each in a thread of its own, so that a slow environment build holds up nobody else.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from enum import Enum

import structlog

from estiva.control import launching
from estiva.control.deployment import Deployment, own_port
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
    PUBLISH = "publish"
    RETIRE = "retire"
    MARK_HEALTHY = "mark healthy"


def next_action(
    service: Service, desired: GenerationState, observation: Observation, wanted: int, gateway_alive: bool
) -> Action | None:
    """What to do about a service, or None if all is as it should be.

    `desired` is the state of the newest generation, `wanted` the serving generation's number of replicas.
    """
    if service.state is ServiceState.DELETING:
        return Action.DELETE
    if desired is GenerationState.PENDING:
        return Action.DEPLOY
    if service.serving is None:
        return Action.RETIRE if observation.replicas else None
    serving = observation.of(service.serving)
    alive = [replica for replica in serving if replica.phase is not ReplicaPhase.EXITED]
    if len(alive) < wanted:
        return Action.RESTORE
    if not gateway_alive:
        return Action.PUBLISH
    if len(alive) < len(observation.replicas):
        return Action.RETIRE
    ready = all(replica.phase is ReplicaPhase.READY for replica in alive)
    if ready and service.state is not ServiceState.HEALTHY:
        return Action.MARK_HEALTHY
    return None


class Reconciler:
    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="reconcile", daemon=True)
        self._pool = ThreadPoolExecutor(_PARALLEL_ACTIONS, thread_name_prefix="action")
        self._running: dict[ServiceKey, Future[None]] = {}
        self._interrupts: dict[ServiceKey, threading.Event] = {}
        self._replicas: dict[ServiceKey, tuple[datetime, int, int]] = {}
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
        for service in self._stages.store.services():
            if not self._busy(service.key):
                self._submit(service)

    def _busy(self, key: ServiceKey) -> bool:
        running = self._running.get(key)
        return running is not None and not running.done()

    def _submit(self, service: Service) -> None:
        try:
            action = self._decide(service)
        except EstivaError as error:  # one that cannot be observed, or was removed meanwhile
            log.warning("not reconciled", service=str(service.key), code=error.code, error=str(error))
            return
        if action is not None:
            interrupt = threading.Event()
            with self._guard:
                self._interrupts[service.key] = interrupt
            self._running[service.key] = self._pool.submit(self._act, action, service.key, interrupt)

    def _decide(self, service: Service) -> Action | None:
        return next_action(
            service,
            self._stages.store.generation_state(service.key, service.desired),
            self._stages.fleet.observe(service.key),
            self._wanted(service),
            self._stages.publisher.alive(service.key.workspace),
        )

    def _wanted(self, service: Service) -> int:
        """Replicas of the serving generation. Read once: a generation does not change, and may be large."""
        if service.serving is None:
            return 0
        known = self._replicas.get(service.key)
        if known is None or known[:2] != (service.created_time, service.serving):
            spec = self._stages.store.generation(service.key, service.serving).spec
            known = (service.created_time, service.serving, spec.settings.replicas)
            self._replicas[service.key] = known
        return known[2]

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
        spec = self._stages.store.generation(service.key, service.serving).spec
        _, python = launching.build_environment(self._stages, spec, log.debug, interrupt.is_set)
        port = own_port(self._stages, service)
        launch = launching.launch(self._stages, service.key, service.serving, spec, python, port)
        self._stages.fleet.apply(launch)
        self._stages.publisher.publish(service.key.workspace)
        log.info("replicas restored", service=str(service.key), generation=service.serving)
        # The target waits longer each time before it starts what keeps dying: no need to ask all the time.
        interrupt.wait(RESTORE_SECONDS)

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
