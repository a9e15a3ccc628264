"""Waits for replicas to be ready, and asks them whether they are, at their private addresses."""

from __future__ import annotations

import threading
import time

import httpx

from estiva.control.stages import Stages
from estiva.errors import TargetException
from estiva.records import Replica, ReplicaPhase, ServiceKey

HEALTH_TIMEOUT_SECONDS = 10.0
_POLL_SECONDS = 0.01


def wait_until_ready(
    stages: Stages, key: ServiceKey, number: int, seconds: float, interrupted: threading.Event
) -> None:
    """Returns when every replica is ready; raises at once when one has exited, and after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        replicas = stages.fleet.observe(key).of(number)
        dead = next((replica for replica in replicas if replica.phase is ReplicaPhase.EXITED), None)
        if dead is not None:
            code = "OutOfMemory" if dead.out_of_memory else "ReplicaExited"
            raise TargetException(f"The replica ended while it started: {dead.reason}", code=code)
        if replicas and all(replica.phase is ReplicaPhase.READY for replica in replicas):
            return
        if interrupted.wait(_POLL_SECONDS):
            raise TargetException("The deployment was interrupted.", code="Cancelled")
    raise TargetException(
        f"init() did not finish within {seconds:g} seconds, its time limit.", code="InitTimeout"
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
