"""A service with several replicas, under load while their number and its version change."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from estiva.home import Home
from estiva.records import ReplicaPhase
from estiva.sdk.connection import connect
from estiva.sdk.webservice import Webservice
from tests.conftest import processes_in
from tests.e2e.conftest import DOUBLING, TRIPLING, Project, body, wait_until

_CALLERS = 3


@contextmanager
def load(service: Webservice) -> Iterator[Counter[str]]:
    """Callers who ask without a pause; what they were told, by status and body."""
    told: Counter[str] = Counter()
    ended = threading.Event()

    def call() -> None:
        with httpx.Client(timeout=30, trust_env=False) as http:
            while not ended.is_set():
                try:
                    answer = http.post(str(service.scoring_uri), content=body(1))
                    told[f"{answer.status_code} {answer.text}"] += 1
                except httpx.HTTPError as error:  # noqa: PERF203  each request by itself
                    told[repr(error)] += 1

    callers = [threading.Thread(target=call) for _ in range(_CALLERS)]
    for caller in callers:
        caller.start()
    try:
        yield told
    finally:
        ended.set()
        for caller in callers:
            caller.join()


def ready(service: Webservice) -> list[int]:
    service.update_deployment_state()
    return [replica.index for replica in service.replicas if replica.phase is ReplicaPhase.READY]


def test_scaling_and_updating_lose_no_request_and_make_no_generation_more(project: Project) -> None:
    service = project.deploy()
    project.write(TRIPLING)
    with load(service) as told:
        service.scale(3, wait=True)
        assert (ready(service), service.generation) == ([0, 1, 2], 1)
        service.reload(wait=True)
        assert (ready(service), service.generation) == ([0, 1, 2], 2)
        service.scale(1, wait=True)
        seen = told["200 [3]"]
        wait_until(lambda: told["200 [3]"] > seen, 30, "answers after scaling down")
    assert set(told) == {"200 [2]", "200 [3]"}


def test_the_number_is_remembered_when_a_replica_and_the_control_server_end(
    project: Project, home: Home
) -> None:
    service = project.deploy()
    service.scale(2, wait=True)
    connect().stop()
    for process in processes_in(home.replicas / "tests" / "doubling" / "1" / "1"):
        process.kill()
    wait_until(lambda: ready(service) == [0, 1], 60, "two replicas again")
    assert service.run(body(1)) == [2]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_changes_under_load_lose_no_request(project: Project) -> None:
    service = project.deploy()
    with load(service) as told:
        for number in range(50):
            project.write(DOUBLING if number % 2 else TRIPLING)
            service.reload(wait=True)
            service.scale(1 + number % 3, wait=True)
    assert set(told) == {"200 [2]", "200 [3]"}
