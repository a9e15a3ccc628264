"""Looks at a service: why its newest generation failed, and what is wrong with the one that serves."""

from __future__ import annotations

import httpx

from estiva import diagnosis
from estiva.control import evidence
from estiva.control.readiness import client
from estiva.control.stages import Stages
from estiva.errors import TargetException
from estiva.messages import Diagnosis
from estiva.records import (
    Evidence,
    Generation,
    GenerationState,
    Limits,
    Replica,
    ReplicaPhase,
    Service,
    ServiceKey,
    StepName,
)
from estiva_server import contract

_LOG_LINES = 5000
_DESCRIPTION_SECONDS = 2.0
_LONGEST_EXAMPLE = 2000


def examine(stages: Stages, key: ServiceKey) -> Diagnosis:
    """What is known to be wrong with a service now, the most certain first; nothing if all is well."""
    service = stages.store.service(key)
    desired = stages.store.generation(key, service.desired)
    failed = desired.findings if desired.state is GenerationState.FAILED else ()
    seen = desired.evidence if failed else None
    running: tuple[Evidence, ...] = ()
    if service.serving is not None:
        running = (_observed(stages, service, stages.store.generation(key, service.serving)),)
    found = tuple(finding for one in running for finding in diagnosis.examine(one))
    return Diagnosis(
        service=key.service,
        state=service.state,
        generation=service.desired,
        serving=service.serving,
        findings=(*failed, *found),
        evidence=tuple(filter(None, (seen, *running))),
    )


def _observed(stages: Stages, service: Service, generation: Generation) -> Evidence:
    """Of the generation that serves."""
    key, spec = service.key, generation.spec
    replicas = stages.fleet.observe(key).of(generation.number)
    seen = Evidence(
        step=StepName.RUN,
        log_tail=tuple(stages.fleet.logs(key, generation=generation.number, tail=_LOG_LINES)),
        example=_example(replicas),
        traffic=stages.publisher.traffic(key),
        limits=Limits(
            replicas=service.scaling.replicas,
            concurrency=max((replica.capacity for replica in replicas), default=0)
            or spec.settings.replica_max_concurrent_requests,
            wait_ms=spec.settings.max_request_wait_time,
            timeout_ms=spec.settings.scoring_timeout_ms,
        ),
    )
    return evidence.mask(stages, key, spec).record(seen.model_copy(update=evidence.content(stages, spec)))


def _example(replicas: tuple[Replica, ...]) -> str:
    """The request that the script's schema gives as an example."""
    ready = next((replica for replica in replicas if replica.phase is ReplicaPhase.READY), None)
    if ready is None:
        return ""
    try:
        with client(ready.address, _DESCRIPTION_SECONDS) as http:
            document = http.get(contract.SWAGGER_PATH, params={"version": "3"})
            schemas = document.raise_for_status().json()["components"]["schemas"]
            example = schemas["ServiceInput"].get("example")
    except (httpx.HTTPError, ValueError, LookupError, TypeError, TargetException):
        return ""  # busy, or the user's own description
    return (
        ""
        if example is None
        else httpx.Request("POST", "http://replica", json=example).content.decode()[:_LONGEST_EXAMPLE]
    )
