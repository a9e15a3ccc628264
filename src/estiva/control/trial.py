"""Runs init() and one run() of a score script in its environment, without deploying it."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Sequence

import httpx

from estiva import diagnosis
from estiva.control import launching
from estiva.control.readiness import client, wait_until_ready
from estiva.control.stages import Stages
from estiva.errors import EstivaError, TargetException, WebserviceException
from estiva.findings import render
from estiva.messages import TrialResult
from estiva.records import DeploymentSpec, Evidence, ReplicaPhase, ServiceKey, StepName
from estiva_server import contract

_GENERATION = 1
_GRACE_SECONDS = 5
_SERVER = re.compile(r"\S+Z estiva-server: ")  # of a replica's life, which is no news here


def run_trial(
    stages: Stages, workspace: str, spec: DeploymentSpec, data: str, show: Callable[[str], None]
) -> TrialResult:
    """A replica that nothing publishes: started, asked once at its private address, removed.

    Raises WebserviceException with the findings if init() fails. An answer that is not 200 is a result.
    """
    key = ServiceKey(workspace=workspace, service=f"try-{uuid.uuid4().hex[:8]}")
    never = threading.Event()
    _, python = launching.build_environment(stages, workspace, spec, show, never.is_set)
    try:
        stages.fleet.apply(launching.content(stages, key, _GENERATION, spec, python))
        show("init()")
        _wait(stages, key, spec, never)
        show("run()")
        answer, seconds = _ask(stages, key, spec, data)
        stages.fleet.stop(key, _GENERATION)  # now the log has all that was printed
        log = [line for line in _log(stages, key) if not _SERVER.match(line)]
        return TrialResult(status=answer.status_code, body=answer.text, seconds=seconds, log=tuple(log))
    finally:
        stages.fleet.delete(key)


def _wait(stages: Stages, key: ServiceKey, spec: DeploymentSpec, never: threading.Event) -> None:
    try:
        wait_until_ready(stages, key, _GENERATION, spec.settings.init_timeout_seconds, never)
    except TargetException as error:
        findings = diagnosis.diagnose(_evidence(stages, key, spec, error))
        raise WebserviceException(render(findings), code=findings[0].code, detail=error.detail) from error


def _evidence(stages: Stages, key: ServiceKey, spec: DeploymentSpec, error: EstivaError) -> Evidence:
    replicas = stages.fleet.observe(key).replicas
    dead = next((replica for replica in replicas if replica.phase is ReplicaPhase.EXITED), None)
    return Evidence(
        step=StepName.INIT,
        error=error.message,
        code=error.code,
        exit_code=dead.exit_code if dead else None,
        signal=dead.signal if dead else None,
        log_tail=tuple(_log(stages, key)),
        entry_script=spec.code.entry_script,
    )


def _log(stages: Stages, key: ServiceKey) -> Sequence[str]:
    return stages.fleet.logs(key, generation=_GENERATION, tail=200)


def _ask(stages: Stages, key: ServiceKey, spec: DeploymentSpec, data: str) -> tuple[httpx.Response, float]:
    """The answer, and the seconds that it took."""
    replica = stages.fleet.observe(key).of(_GENERATION)[0]
    seconds = spec.settings.scoring_timeout_ms / 1000 + _GRACE_SECONDS
    begun = time.monotonic()
    try:
        with client(replica.address, seconds) as http:
            answer = http.post(
                contract.SCORE_PATH, content=data.encode(), headers={"Content-Type": "application/json"}
            )
    except httpx.HTTPError as error:
        raise WebserviceException(
            f"The replica did not answer run(): {error}. "
            f"Its process ended, or run() took more than {seconds:.0f} s.",
            code="RunFailed",
        ) from error
    return answer, time.monotonic() - begun
