"""The number of replicas follows the load: a real HAProxy, real replicas, callers who wait for answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from estiva import AksWebservice, Model
from estiva.records import ReplicaPhase
from estiva.sdk.connection import connect
from estiva.sdk.webservice import Webservice
from tests.e2e.conftest import DOUBLING, Project, body, wait_until

SLEEPING = DOUBLING.replace("import json", "import json, time").replace(
    "    return [", "    time.sleep(0.1)\n    return ["
)


def deploy(project: Project, **parameters: Any) -> Webservice:
    project.write(SLEEPING)
    configuration = AksWebservice.deploy_configuration(
        autoscale_enabled=True, auth_enabled=False, max_request_wait_time=10_000, **parameters
    )
    service = Model.deploy(project.workspace, "doubling", [], project.inference(), configuration)
    service.wait_for_deployment()
    return service


@contextmanager
def callers(service: Webservice, number: int) -> Iterator[list[str]]:
    """So many requests at a time, without a pause; what was not answered with 200."""
    wrong: list[str] = []
    ended = threading.Event()

    def call() -> None:
        with httpx.Client(timeout=60, trust_env=False) as http:
            while not ended.is_set():
                try:
                    answer = http.post(str(service.scoring_uri), content=body(1))
                    wrong.extend([answer.text] * (answer.status_code != 200))
                except httpx.HTTPError as error:  # noqa: PERF203  each request by itself
                    wrong.append(repr(error))

    threads = [threading.Thread(target=call) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield wrong
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def ready(service: Webservice) -> int:
    service.update_deployment_state()
    return sum(replica.phase is ReplicaPhase.READY for replica in service.replicas)


def test_more_callers_get_more_replicas_and_none_is_turned_away(project: Project) -> None:
    service = deploy(project, autoscale_max_replicas=4)
    assert (ready(service), service.autoscaler.max_replicas) == (1, 4)
    with callers(service, 1) as wrong:
        wait_until(lambda: ready(service) == 2, 30, "one caller needs two replicas at 70%")
    with callers(service, 6) as more_wrong:
        wait_until(lambda: ready(service) == 4, 30, "as many as may be")
    assert (wrong, more_wrong) == ([], [])
    assert service.scaling.startswith("1 to 4, at 70%; ")
    assert " need " in service.scaling
    service.update(autoscale_max_replicas=3)
    assert (service.autoscaler.max_replicas, service.generation) == (3, 1), "a bound alone, nothing else"
    service.scale(1, wait=True)
    assert (ready(service), service.scaling, service.autoscaler.autoscale_enabled) == (1, "fixed", False)


def test_without_requests_there_is_none_and_the_next_one_waits_for_its_replica(project: Project) -> None:
    service = deploy(project, autoscale_min_replicas=0, autoscale_idle_seconds=1)
    wait_until(lambda: (ready(service), service.wanted_replicas) == (0, 0), 30, "scaled to zero")
    assert (service.state, service.scaling) == (
        "Healthy",
        "0 to 10, at 70%; no request came for 1 s",
    )
    assert service.run(body(1)) == [2]
    wait_until(lambda: ready(service) == 0, 30, "scaled to zero again")
    connect().stop()  # who starts replicas is not there now; a request brings nobody back
    begun = time.monotonic()
    with callers(service, 1) as wrong:
        service.update_deployment_state()  # but this does
        wait_until(lambda: ready(service) >= 1, 30, "a replica for the request that waits")
    assert wrong == []
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("parameters", [{"cpu_cores": 1000}, {"memory_gb": 100_000}])
def test_no_more_than_the_machine_has_room_for(project: Project, parameters: dict[str, float]) -> None:
    service = deploy(project, autoscale_min_replicas=1, **parameters)
    assert "At most 1 of 10 replicas: this machine has" in service.scaling
    assert any("At most 1 of 10 replicas" in notice for notice in service._view.desired.notices)
    service.scale(3, wait=True)
    assert (service.wanted_replicas, ready(service)) == (1, 1)
