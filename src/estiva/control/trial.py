"""Runs init() and one run() of a score script in its environment, without deploying it."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Sequence

import httpx

from estiva import diagnosis
from estiva.control import evidence, launching
from estiva.control.readiness import client, wait_until_ready
from estiva.control.stages import Stages
from estiva.errors import TargetException, WebserviceException
from estiva.findings import render
from estiva.messages import TrialResult
from estiva.records import DeploymentSpec, Lock, ServiceKey, StepName
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
    artifact = launching.prepare(stages, workspace, spec, show, never.is_set)
    try:
        stages.fleet.apply(launching.content(stages, key, _GENERATION, spec, artifact))
        show("init()")
        _wait(stages, key, spec, artifact.lock, never)
        show("run()")
        answer, seconds = _ask(stages, key, spec, data)
        stages.fleet.stop(key, _GENERATION)  # now the log has all that was printed
        log = [line for line in _log(stages, key) if not _SERVER.match(line)]
        return TrialResult(status=answer.status_code, body=answer.text, seconds=seconds, log=tuple(log))
    finally:
        stages.fleet.delete(key)


def _wait(
    stages: Stages, key: ServiceKey, spec: DeploymentSpec, lock: Lock | None, never: threading.Event
) -> None:
    try:
        wait_until_ready(stages, key, _GENERATION, spec.settings.init_timeout_seconds, never)
    except TargetException as error:
        seen = evidence.of_failure(stages, key, _GENERATION, spec, StepName.INIT, error, lock)
        findings = diagnosis.diagnose(seen)
        raise WebserviceException(render(findings), code=findings[0].code, detail=error.detail) from error


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
