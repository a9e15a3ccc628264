"""Requests go where they need not wait."""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.server.conftest import Serve
from tests.server.serving import SECONDS, ScoringServer
from tests.server.test_workers import wait_until_running

# Spreading is best effort: on a busy machine a request may go to the busier worker.
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="needs epoll")]

SLEEPS = (
    "import os, time\ndef init(): pass\ndef run(data):\n    time.sleep(float(data))\n    return os.getpid()\n"
)


@pytest.fixture
def server(serve: Serve) -> ScoringServer:
    return serve({"score.py": SLEEPS}, WORKER_COUNT="2")


def ask_often(server: ScoringServer, count: int) -> list[int]:
    """On one connection for as long as the server keeps it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    found = []
    for _ in range(count):
        connection.request("POST", "/score", b"0.02")
        found.append(json.loads(connection.getresponse().read()))
    connection.close()
    return found


def test_connections_that_last_spread_over_the_workers(server: ScoringServer) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = Counter(pid for pids in pool.map(lambda _: ask_often(server, 15), range(8)) for pid in pids)
    assert sum(found.values()) == 120
    assert len(found) == 2
    assert min(found.values()) > 30


def test_a_request_goes_to_the_idle_worker(server: ScoringServer) -> None:
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            long = pool.submit(server.score, "0.5")
            wait_until_running(server, 1)
            short = server.score("0")
            assert not long.done()
            assert short.json != long.result().json


def test_new_connections_are_answered_while_all_workers_are_busy(server: ScoringServer) -> None:
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(server.score, "1") for _ in range(4)]
        wait_until_running(server, 2)
        began = time.monotonic()
        assert server.ask("GET", "/").body == b"Healthy"
        assert time.monotonic() - began < 0.5
        assert [one.result().status for one in running] == [200] * 4
