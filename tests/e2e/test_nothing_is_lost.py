"""Under load, what changes or dies around the gateway costs no caller an answer."""

from __future__ import annotations

import threading
from collections import Counter

import httpx
import psutil
import pytest

from estiva import AksWebservice, Model
from estiva.sdk.connection import connect
from estiva.sdk.webservice import Webservice
from tests.e2e.conftest import Project, body

_CALLERS = 3


class Callers:
    """Ask without a pause, some of them on connections that they keep; each answer is counted."""

    def __init__(self, service: Webservice) -> None:
        self.sent = 0
        self.answers: Counter[str] = Counter()
        self._uri = str(service.scoring_uri)
        self._key = service.get_keys()[0]
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(n % 2,)) for n in range(_CALLERS)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for_more(self, count: int) -> None:
        target = self.answers.total() + count
        while self.answers.total() < target:
            assert not self._stop.wait(0.01)
            assert any(thread.is_alive() for thread in self._threads), self.answers

    def _call(self, kept: int) -> None:
        limits = httpx.Limits(max_keepalive_connections=kept)
        headers = {"Authorization": f"Bearer {self._key}"}
        with httpx.Client(limits=limits, timeout=60, trust_env=False, headers=headers) as http:
            while not self._stop.is_set():
                with self._lock:
                    self.sent += 1
                told = self._ask(http)
                with self._lock:
                    self.answers[told] += 1

    def _ask(self, http: httpx.Client) -> str:
        try:
            answer = http.post(self._uri, content=body(1))
        except httpx.HTTPError as error:
            return type(error).__name__
        return f"{answer.status_code} {answer.text}"


@pytest.mark.parametrize("reloads", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_reloads_of_the_gateway_and_a_killed_control_server_lose_nothing(
    project: Project, reloads: int
) -> None:
    configuration = AksWebservice.deploy_configuration(num_replicas=2, max_request_wait_time=10_000)
    service = Model.deploy(project.workspace, "doubling", [], project.inference(), configuration)
    service.wait_for_deployment()
    with Callers(service) as callers:
        for number in range(reloads):
            if number == reloads // 2:
                kill_the_control_server()
                callers.wait_for_more(50)
            service.update(requests_per_second=1_000_000 + number)
            callers.wait_for_more(10)
    assert callers.answers == {"200 [2]": callers.sent}
    assert service.requests_per_second == 1_000_000 + reloads - 1
    assert service.generation == 1


def kill_the_control_server() -> None:
    status = connect().status()
    assert status is not None
    killed = psutil.Process(status.pid)
    killed.kill()
    killed.wait(10)
