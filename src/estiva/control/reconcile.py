"""The loop that makes what runs equal to what is wanted.

`decisions` says what to do about a service. The loop runs at most one action in each of its two lanes, every
one in a thread of its own, so that a slow environment build holds up nobody else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import structlog

from estiva.control import launching
from estiva.control.decisions import Action, Lane, next_deployment, next_upkeep, retirable, to_begin
from estiva.control.deployment import Deployment
from estiva.control.stages import Stages
from estiva.errors import EstivaError
from estiva.records import GenerationState, Service, ServiceKey, ServiceState

log = structlog.get_logger()

INTERVAL_SECONDS = 0.25
RETRY_SECONDS = 5.0
RESTORE_SECONDS = 0.5
KEPT_GENERATIONS = 10
_PARALLEL_ACTIONS = 16
"""In each lane: deployments that take long must not use up the threads that look after what serves."""
_COMING = (GenerationState.PENDING, GenerationState.HELD)
"""Of the newest generation: it is not to be retired although it does not serve."""


def wanted_replicas(stages: Stages, service: Service) -> int:
    """Without a gateway only one replica can have the service's port."""
    return service.scaling.replicas if stages.publisher.available else 1


class Plan(NamedTuple):
    """What was decided about a service: an action for each lane that may begin one, and what to retire."""

    actions: dict[Lane, Action]
    deploying: bool
    retirable: frozenset[int]


class _Running(NamedTuple):
    future: Future[None]
    interrupt: threading.Event


class Reconciler:
    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="reconcile", daemon=True)
        self._pools = {lane: ThreadPoolExecutor(_PARALLEL_ACTIONS, lane.value) for lane in Lane}
        self._running: dict[tuple[ServiceKey, Lane], _Running] = {}
        self._guard = threading.Lock()
        self._unseen: dict[ServiceKey, str] = {}
        """Services that could not be decided upon the last time, by the error's code."""

    def start(self) -> None:
        self._sweep()
        self._thread.start()

    def stop(self) -> None:
        """Interrupts what is under way (the next control server goes on with it) and waits for it to end."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        with self._guard:
            for running in self._running.values():
                running.interrupt.set()
        for pool in self._pools.values():
            pool.shutdown(wait=True)

    def wake(self) -> None:
        self._wake.set()

    def supersede(self, key: ServiceKey) -> None:
        """Ends the deployment of an older generation: a newer one was accepted."""
        self._interrupt(key, [Lane.DEPLOY])

    def abandon(self, key: ServiceKey) -> None:
        """Ends whatever is done for a service: its deletion was accepted."""
        self._interrupt(key, tuple(Lane))

    def _interrupt(self, key: ServiceKey, lanes: Collection[Lane]) -> None:
        with self._guard:
            for lane in lanes:
                if (key, lane) in self._running:
                    self._running[key, lane].interrupt.set()
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
        busy = self._busy()  # before the services are read: see `retirable`
        for service in self._stages.store.services():
            lanes = {lane for lane in Lane if (service.key, lane) in busy}
            self._look_at(service, lanes, published)

    def _busy(self) -> set[tuple[ServiceKey, Lane]]:
        with self._guard:
            self._running = {place: it for place, it in self._running.items() if not it.future.done()}
            return set(self._running)

    def _look_at(self, service: Service, busy: Collection[Lane], published: Callable[[str], bool]) -> None:
        try:
            plan = self._decide(service, busy, published)
        except EstivaError as error:  # one that cannot be observed, or was removed meanwhile
            if self._unseen.get(service.key) != error.code:
                log.warning("not reconciled", service=str(service.key), code=error.code, error=str(error))
            self._unseen[service.key] = error.code
            return
        self._unseen.pop(service.key, None)
        for lane in plan.actions:
            self._submit(service.key, lane, plan)

    def _decide(self, service: Service, busy: Collection[Lane], published: Callable[[str], bool]) -> Plan:
        desired = self._stages.store.generation_state(service.key, service.desired)
        observation = self._stages.fleet.observe(service.key)
        deploying = Lane.DEPLOY in busy or desired in _COMING
        wanted = wanted_replicas(self._stages, service)
        upkeep = next_upkeep(service, observation, wanted, published(service.key.workspace), deploying)
        deployment = next_deployment(service, desired)
        return Plan(
            actions=to_begin(deployment, upkeep, busy, not self._takes_port(service, deploying)),
            deploying=deploying,
            retirable=retirable(service, observation, deploying),
        )

    def _takes_port(self, service: Service, deploying: bool) -> bool:
        """Whether a generation that is deployed takes a port of the one that serves."""
        if not self._stages.publisher.available:
            return True
        if not deploying:
            return False
        return self._stages.store.generation(service.key, service.desired).spec.settings.debugger is not None

    def _submit(self, key: ServiceKey, lane: Lane, plan: Plan) -> None:
        interrupt = threading.Event()
        with self._guard:
            future = self._pools[lane].submit(self._act, key, lane, plan, interrupt)
            self._running[key, lane] = _Running(future, interrupt)

    def _act(self, key: ServiceKey, lane: Lane, plan: Plan, interrupt: threading.Event) -> None:
        """The outermost boundary of an action: a failure, even a bug, must not end the loop."""
        action = plan.actions[lane]
        try:
            self._perform(action, key, plan, interrupt)
        except EstivaError as error:
            log.warning(
                "action failed", action=action.value, service=str(key), code=error.code, error=str(error)
            )
            interrupt.wait(RETRY_SECONDS)
        except Exception:
            log.exception("action raised", action=action.value, service=str(key))
            interrupt.wait(RETRY_SECONDS)
        self._stages.changes.announce()
        self._wake.set()

    # --- the actions ---------------------------------------------------------------------------------

    def _perform(self, action: Action, key: ServiceKey, plan: Plan, interrupt: threading.Event) -> None:
        service = self._stages.store.service(key)
        if action is Action.DEPLOY:
            generation = self._stages.store.generation(key, service.desired)
            Deployment(self._stages, service, generation, interrupt).run()
        elif action is Action.DELETE:
            self._delete(service, interrupt)
        elif action is Action.RESTORE:
            self._restore(service, plan.deploying, interrupt)
        elif action is Action.SCALE:
            self._scale(service, interrupt)
        elif action is Action.PUBLISH:
            self._stages.publisher.publish(key.workspace)
        elif action is Action.RETIRE:
            self._retire(key, plan.retirable)
        else:
            self._stages.store.update_service(key, state=ServiceState.HEALTHY)

    def _delete(self, service: Service, interrupt: threading.Event) -> None:
        self._stages.publisher.publish(service.key.workspace)
        if not self._may_end(service.key):
            interrupt.wait(
                INTERVAL_SECONDS
            )  # an old process of the gateway lives as long as idle connections
            return
        self._stages.fleet.delete(service.key)
        if service.key.version is None:
            self._stages.store.remove_service(service.key)
        else:
            self._stages.store.remove_version(service.key)
        self._stages.prune()
        log.info("service deleted", service=str(service.key))

    def _may_end(self, key: ServiceKey) -> bool:
        """A version whose endpoint goes on first answers what it has: callers know nothing of versions."""
        if key.version is None or self._stages.store.endpoint(key.workspace, key.service).deleting:
            return True
        replicas = self._stages.fleet.observe(key).replicas
        return all(self._stages.publisher.quiet(key, replica) for replica in replicas)

    def _restore(self, service: Service, deploying: bool, interrupt: threading.Event) -> None:
        """Starts replicas of the serving generation that are missing: killed, or gone with a reboot."""
        if service.serving is None:
            return
        if not deploying:
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
        generation = self._stages.store.generation(service.key, number)
        spec, workspace = generation.spec, service.key.workspace
        artifact = launching.prepare(
            self._stages, workspace, spec, log.debug, interrupt.is_set, generation.image
        )
        self._stages.fleet.apply(launching.launch(self._stages, service, number, spec, artifact))

    def _retire(self, key: ServiceKey, generations: Collection[int]) -> None:
        """Ends replicas of other generations, once no request can reach them any more."""
        fleet = self._stages.fleet
        for number in sorted(generations):
            replicas = fleet.observe(key).of(number)
            if all(self._stages.publisher.quiet(key, replica) for replica in replicas):
                fleet.stop(key, number)
        self._stages.store.trim_generations(key, KEPT_GENERATIONS)
        fleet.retire(key, keep={generation.number for generation in self._stages.store.generations(key)})

    def _sweep(self) -> None:
        self._stages.fleet.end_strangers({service.key for service in self._stages.store.services()})
