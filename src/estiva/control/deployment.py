"""Takes one generation of a service through its steps, and records each as it happens.

Every step is idempotent: a control server that was killed in the middle runs the generation again from
the first step, and finds done what was done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import structlog

from estiva import diagnosis
from estiva.control import launching
from estiva.control.stages import Stages
from estiva.errors import EstivaError, TargetException, WebserviceException
from estiva.gateway import ports
from estiva.records import (
    Evidence,
    Generation,
    GenerationState,
    Launch,
    Lock,
    Replica,
    ReplicaPhase,
    Service,
    ServiceKey,
    ServiceState,
    Step,
    StepName,
)

log = structlog.get_logger()

INIT_TIMEOUT_SECONDS = 600.0
HEALTH_TIMEOUT_SECONDS = 10.0
_POLL_SECONDS = 0.01
_LOG_TAIL = 200


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
        """Ends with the generation HEALTHY or FAILED, or as it was if it was interrupted."""
        try:
            self._validate()
            launch = self._prepare()
            self._start(launch)
            self._wait_for_init()
            self._check_health()
            self._publish()
        except EstivaError as error:
            if self._interrupted.is_set():
                log.info("deployment interrupted", service=str(self._key), generation=self._number)
            else:
                self._fail(error)

    # --- the steps -----------------------------------------------------------------------------------

    def _validate(self) -> None:
        with self._step(StepName.VALIDATE):
            if self._service.serving is None:
                self._check_port()

    def _check_port(self) -> None:
        port, host = self._service.port, self._service.host
        holder = ports.holder(host, port)
        if holder is not None and not self._stages.target.observe(self._key).replicas:
            raise WebserviceException(
                f"Port {port} on {host} is in use by {holder}. "
                "Choose another port, leave the port out to get a free one, or end that program.",
                code="PortInUse",
            )

    def _prepare(self) -> Launch:
        with self._step(StepName.ENVIRONMENT):
            self._lock, python = launching.build_environment(
                self._stages, self._spec, self._show, self._interrupted.is_set
            )
            self._update(notices=(*self._generation.notices, *self._lock.notices))
            return launching.launch(
                self._stages,
                self._key,
                self._number,
                self._spec,
                python,
                own_port(self._stages, self._service),
            )

    def _start(self, launch: Launch) -> None:
        with self._step(StepName.START):
            if launch.address is not None:
                self._stages.target.retire(self._key, keep={self._number})
            self._stages.target.apply(launch)

    def _wait_for_init(self) -> None:
        with self._step(StepName.INIT):
            wait_until_ready(self._stages, self._key, self._number, self._interrupted)

    def _check_health(self) -> None:
        with self._step(StepName.HEALTH):
            for replica in self._replicas():
                check_health(replica)

    def _publish(self) -> None:
        with self._step(StepName.ROUTE):
            self._stages.publisher.publish(self._key.workspace, {self._key: self._number})
        # In this order: killed between the two, the generation is pending still and runs again.
        self._stages.store.update_service(self._key, serving=self._number, state=ServiceState.HEALTHY)
        self._update(state=GenerationState.HEALTHY)
        log.info("generation healthy", service=str(self._key), generation=self._number)

    # --- recording -----------------------------------------------------------------------------------

    @contextmanager
    def _step(self, name: StepName) -> Iterator[None]:
        if self._interrupted.is_set():
            raise WebserviceException("The deployment was interrupted.", code="Cancelled")
        self._steps.append(Step(name=name))
        self._update(steps=tuple(self._steps))
        begun = time.monotonic()
        try:
            yield
        except EstivaError:
            self._end_step("failed", begun)
            raise
        self._end_step("succeeded", begun)

    def _end_step(self, state: str, begun: float) -> None:
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
        evidence = self._evidence(error)
        self._stages.target.stop(self._key, self._number)
        serving = self._stages.store.service(self._key).serving
        state = ServiceState.FAILED if serving is None else ServiceState.HEALTHY
        self._stages.store.update_service(self._key, state=state)
        self._update(state=GenerationState.FAILED, evidence=evidence, findings=diagnosis.diagnose(evidence))
        log.warning(
            "generation failed",
            service=str(self._key),
            generation=self._number,
            code=error.code,
            step=evidence.step,
        )

    def _evidence(self, error: EstivaError) -> Evidence:
        dead = next((r for r in self._replicas() if r.phase is ReplicaPhase.EXITED), None)
        return Evidence(
            step=self._steps[-1].name,
            error=error.message,
            code=error.code,
            detail=error.detail[-20_000:],
            exit_code=dead.exit_code if dead else None,
            signal=dead.signal if dead else None,
            log_tail=tuple(self._stages.target.logs(self._key, generation=self._number, tail=_LOG_TAIL)),
            entry_script=self._spec.code.entry_script,
            packages=self._stages.environments.packages(self._lock) if self._lock else (),
        )

    def _replicas(self) -> tuple[Replica, ...]:
        return self._stages.target.observe(self._key).of(self._number)


def own_port(stages: Stages, service: Service) -> int | None:
    """The port that a replica listens on itself: the service's where there is no gateway, else none."""
    return None if stages.publisher.available else service.port


def wait_until_ready(stages: Stages, key: ServiceKey, number: int, interrupted: threading.Event) -> None:
    """Returns when every replica is ready; raises at once when one has exited, and after the time limit."""
    deadline = time.monotonic() + INIT_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        replicas = stages.target.observe(key).of(number)
        dead = next((replica for replica in replicas if replica.phase is ReplicaPhase.EXITED), None)
        if dead is not None:
            raise TargetException(f"The replica ended while it started: {dead.reason}", code="ReplicaExited")
        if replicas and all(replica.phase is ReplicaPhase.READY for replica in replicas):
            return
        if interrupted.wait(_POLL_SECONDS):
            raise TargetException("The deployment was interrupted.", code="Cancelled")
    raise TargetException(
        f"init() did not finish within {INIT_TIMEOUT_SECONDS:.0f} seconds.", code="InitTimeout"
    )


def client(address: str, timeout: float) -> httpx.Client:
    """An HTTP client of a replica's private address."""
    if address.startswith("unix:"):
        transport = httpx.HTTPTransport(uds=address.removeprefix("unix:"))
        return httpx.Client(transport=transport, base_url="http://replica", timeout=timeout)
    return httpx.Client(base_url=f"http://{address}", timeout=timeout, trust_env=False)


def check_health(replica: Replica) -> None:
    try:
        with client(replica.address, HEALTH_TIMEOUT_SECONDS) as http:
            answer = http.get("/")
    except httpx.HTTPError as error:
        raise TargetException(
            f"Replica {replica.index} did not answer its health check: {error}.", code="HealthCheckFailed"
        ) from error
    if answer.status_code != httpx.codes.OK:
        raise TargetException(
            f"Replica {replica.index} answered its health check with {answer.status_code}.",
            code="HealthCheckFailed",
        )
