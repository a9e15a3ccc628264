"""Takes one generation of a service through its steps, and records each as it happens.

Every step is idempotent: a control server that was killed in the middle runs the generation again from
the first step, and finds done what was done.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import structlog

from estiva import diagnosis
from estiva.control import evidence, launching, placement, publications
from estiva.control.launching import Artifact
from estiva.control.readiness import check_health, wait_until_ready
from estiva.control.scripts import check_syntax
from estiva.control.stages import Stages
from estiva.errors import EstivaError, RegistryException, TargetException, WebserviceException
from estiva.records import (
    DeploymentSpec,
    Evidence,
    Generation,
    GenerationState,
    Launch,
    Lock,
    Replica,
    Service,
    ServiceKind,
    ServiceState,
    Step,
    StepName,
)

log = structlog.get_logger()


class Deployment:
    """One run of one generation. `interrupted` is set when a newer one was accepted, or at shutdown."""

    def __init__(
        self, stages: Stages, service: Service, generation: Generation, interrupted: threading.Event
    ) -> None:
        self._stages = stages
        self._service = service
        self._generation = generation
        self._spec = generation.spec
        self._key = service.key
        self._number = generation.number
        self._interrupted = interrupted
        self._steps: list[Step] = []
        self._lock: Lock | None = None

    def run(self) -> None:
        """Ends with the generation HEALTHY, FAILED or HELD, or as it was if it was interrupted."""
        try:
            self._run_steps()
        except EstivaError as error:
            self._end(error)
        except Exception as error:
            # A defect of ours must end this deployment where the user sees it, not leave it pending.
            log.exception("deployment raised", service=str(self._key), generation=self._number)
            self._end(unexpected(error))

    def _run_steps(self) -> None:
        self._validate()
        artifact = self._prepare()
        until = self._spec.settings.until
        if until in ("environment", "image"):
            return self._hold()
        self._start(artifact)
        if until == "start":
            return self._hold()
        self._wait_for_init(artifact)
        if until == "init":
            return self._hold()
        self._check_health()
        return self._publish()

    def _end(self, error: EstivaError) -> None:
        if self._interrupted.is_set():
            log.info("deployment interrupted", service=str(self._key), generation=self._number)
        else:
            self._fail(error)

    # --- the steps -----------------------------------------------------------------------------------

    def _validate(self) -> None:
        with self._step(StepName.VALIDATE):
            check_syntax(self._stages.blobs, self._spec)
            if self._service.serving is None:
                self._check_port()

    def _check_port(self) -> None:
        publication = self._service.publication
        if publication is None or publication.port is None:
            return
        if not self._stages.fleet.observe(self._key).replicas:
            publications.check_port(publication.host, publication.port)

    def _prepare(self) -> Artifact:
        is_image = launching.runs_images(self._stages, self._spec)
        with self._step(StepName.IMAGE if is_image else StepName.ENVIRONMENT):
            artifact = launching.prepare(
                self._stages, self._key.workspace, self._spec, self._show, self._interrupted.is_set
            )
            self._lock = artifact.lock
            found = notices(self._stages, self._service.kind, self._spec, artifact.lock)
            limit = self._stages.store.service(self._key).scaling.limit
            self._update(notices=(*found, limit) if limit else found, image=artifact.image)
            return artifact

    def _start(self, artifact: Artifact) -> None:
        with self._step(StepName.START):
            launch = self._launch(artifact)
            if launch.address is not None:
                self._check_alone()
                self._stages.fleet.retire(self._key, keep={self._number})
            if launch.settings.debugger is not None:
                self._free_debugger()
            self._stages.fleet.apply(launch)

    def _check_alone(self) -> None:
        """A generation that will not serve must not take the port of one that does."""
        serving = self._service.serving
        if self._spec.settings.until is not None and serving is not None:
            raise WebserviceException(
                f"Without HAProxy a new generation takes the port of generation {serving}, so it cannot stop "
                "before it serves. Stop after the environment, or install haproxy 2.6 or newer.",
                code="HAProxyMissing",
            )

    def _free_debugger(self) -> None:
        """A generation before this one that has the debugger's port ends first."""
        running = {replica.generation for replica in self._stages.fleet.observe(self._key).replicas}
        for number in running - {self._number}:
            if self._stages.store.generation(self._key, number).spec.settings.debugger is not None:
                self._stages.fleet.stop(self._key, number)

    def _wait_for_init(self, artifact: Artifact) -> None:
        """Until as many are ready as serve by then: the service may be scaled while init() takes its time."""
        with self._step(StepName.INIT):
            self._wait_until_ready()
            while len(self._replicas()) < (launch := self._launch(artifact)).replicas:
                self._stages.fleet.apply(launch)
                self._wait_until_ready()

    def _launch(self, artifact: Artifact) -> Launch:
        """With as many replicas as serve now; with one where none does, to see whether it works."""
        service = self._stages.store.service(self._key)
        launch = launching.launch(self._stages, service, self._number, self._spec, artifact)
        return launch.model_copy(update={"replicas": max(1, launch.replicas)})

    def _wait_until_ready(self) -> None:
        seconds = self._spec.settings.start_seconds
        wait_until_ready(self._stages, self._key, self._number, seconds, self._interrupted)

    def _check_health(self) -> None:
        with self._step(StepName.HEALTH):
            for replica in self._replicas():
                check_health(replica)

    def _publish(self) -> None:
        with self._stages.publisher.switched(self._key, self._number):
            with self._step(StepName.ROUTE):
                self._stages.publisher.publish(self._key.workspace)
            # In this order: killed between the two, the generation is pending still and runs again.
            self._stages.store.update_service(self._key, serving=self._number, state=ServiceState.HEALTHY)
        self._update(state=GenerationState.HEALTHY)
        log.info("generation healthy", service=str(self._key), generation=self._number)

    def _hold(self) -> None:
        """What is there stays, to be looked at; what served before goes on serving."""
        serving = self._stages.store.service(self._key).serving
        if serving is not None:
            self._stages.store.update_service(self._key, state=ServiceState.HEALTHY)
        self._update(state=GenerationState.HELD)
        log.info("generation held", service=str(self._key), generation=self._number)

    # --- recording -----------------------------------------------------------------------------------

    @contextmanager
    def _step(self, name: StepName) -> Iterator[None]:
        if self._interrupted.is_set():
            raise WebserviceException("The deployment was interrupted.", code="Cancelled")
        self._steps.append(Step(name=name))
        self._update(steps=tuple(self._steps))
        begun = time.monotonic()
        outcome: Literal["succeeded", "failed"] = "failed"
        try:
            yield
            outcome = "succeeded"
        finally:
            self._end_step(outcome, begun)

    def _end_step(self, state: Literal["succeeded", "failed"], begun: float) -> None:
        seconds = time.monotonic() - begun
        self._steps[-1] = self._steps[-1].model_copy(update={"state": state, "seconds": seconds})
        self._update(steps=tuple(self._steps))

    def _show(self, line: str) -> None:
        self._steps[-1] = self._steps[-1].model_copy(update={"detail": line[:500]})
        self._update(steps=tuple(self._steps))

    def _update(self, **changes: object) -> None:
        self._generation = self._stages.store.update_generation(self._key, self._number, **changes)
        self._stages.changes.announce()

    # --- failure -------------------------------------------------------------------------------------

    def _fail(self, error: EstivaError) -> None:
        """The failed generation goes, its logs stay; what served before goes on serving."""
        seen = self._evidence(error)
        self._end_replicas()
        serving = self._stages.store.service(self._key).serving
        state = ServiceState.FAILED if serving is None else ServiceState.HEALTHY
        self._stages.store.update_service(self._key, state=state)
        self._update(state=GenerationState.FAILED, evidence=seen, findings=diagnosis.diagnose(seen))
        log.warning(
            "generation failed",
            service=str(self._key),
            generation=self._number,
            code=error.code,
            step=seen.step,
        )

    def _end_replicas(self) -> None:
        """If they cannot be reached now, the reconcile loop ends them later."""
        try:
            self._stages.fleet.stop(self._key, self._number)
        except TargetException as failure:
            log.warning("replicas not ended", service=str(self._key), error=str(failure))

    def _evidence(self, error: EstivaError) -> Evidence:
        step = self._steps[-1].name
        return evidence.of_failure(self._stages, self._key, self._number, self._spec, step, error, self._lock)

    def _replicas(self) -> tuple[Replica, ...]:
        return self._stages.fleet.observe(self._key).of(self._number)


def unexpected(error: Exception) -> EstivaError:
    """What a deployment ends with that met something nobody foresaw: a full disk, or a defect of Estiva."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RegistryException(
            f"The disk is full: {error.filename or error.strerror}. Free some space, then deploy again.",
            code="DiskFull",
        )
    return EstivaError(
        f"Estiva itself failed: {type(error).__name__}: {error}. This is a defect; the control server's log "
        "has the details for a report.",
        code="InternalError",
    )


def notices(stages: Stages, kind: ServiceKind, spec: DeploymentSpec, lock: Lock | None) -> tuple[str, ...]:
    """What the user should know of how the wish was understood."""
    chosen = spec.no_code.notice if spec.no_code else None
    placed = placement.notice(kind, spec)
    found = [notice for notice in (chosen, placed) if notice]
    found += lock.notices if lock else ()
    if not stages.publisher.available:
        found.append(
            "No HAProxy was found, so the service listens on its port itself: an update stops it first. "
            "Install haproxy 2.6 or newer for updates that lose no request."
        )
    return tuple(found)
