"""What control learns about each version, and what health checks do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from estiva.gateway import Gateway
from estiva.records import Load
from tests.gateway.conftest import PATIENCE, MakeBackend, MakeRoute, post

pytestmark = pytest.mark.haproxy


def wait_for_load(gateway: Gateway, **wanted: int) -> Load:
    deadline = time.monotonic() + PATIENCE
    while True:
        load = gateway.load()[0]
        if all(getattr(load, name) == value for name, value in wanted.items()):
            return load
        assert time.monotonic() < deadline, load
        time.sleep(0.01)


def test_nothing_runs_nothing_is_loaded(gateway: Gateway) -> None:
    assert gateway.load() == ()


def test_busy_and_waiting_requests_are_counted(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    backend = make_backend("g1-0")
    route = make_route(backend, concurrency=1, wait_ms=200)
    gateway.apply([make_route(make_backend("g1-0"), service="other"), route])
    with ThreadPoolExecutor() as pool:
        running = pool.submit(post, route, "/hold")
        assert backend.held.acquire(timeout=PATIENCE)
        waiting = pool.submit(post, route)
        deadline = time.monotonic() + PATIENCE
        while not gateway.load()[1].queued and not waiting.done():
            assert time.monotonic() < deadline
        assert waiting.result(PATIENCE).status_code == 503
        load = gateway.load()[1]
        backend.release.set()
        assert running.result(PATIENCE).status_code == 200
    assert (load.route, load.version, load.busy, load.ready, load.errors) == ("service:sum", "v1", 1, 1, 1)
    assert load.rejected == 1
    assert [one.requests for one in gateway.load()] == [0, 2]


def test_only_requests_that_no_replica_took_are_rejected(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    """Not those that were answered late or not at all, or refused before."""
    backend = make_backend("g1-0")
    route = make_route(backend, timeout_ms=100, body_limit=10)
    gateway.apply([route])
    statuses = [post(route, path).status_code for path in ("/score", "/hold", "/die")]
    statuses.append(post(route, content=b"x" * 100).status_code)
    assert statuses == [200, 504, 502, 413]
    before = wait_for_load(gateway, errors=2, rejected=0)
    backend.stop()
    assert post(route).status_code == 503
    now = wait_for_load(gateway, errors=3, rejected=1)
    assert (now.requests, now.process) == (before.requests + 1, before.process)


def test_a_reload_counts_in_another_process(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    route = make_route(make_backend("g1-0"))
    gateway.apply([route])
    post(route)
    before = wait_for_load(gateway, requests=1)
    gateway.apply(
        [route.model_copy(update={"versions": (route.default.model_copy(update={"wait_ms": 600}),)})]
    )
    assert wait_for_load(gateway, requests=0).process != before.process


def test_a_replica_that_does_not_answer_is_taken_out_and_comes_back(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    first, second = make_backend("g1-0"), make_backend("g1-1")
    gateway.apply([make_route(first)])
    gateway.apply([make_route(first, second)])
    wait_for_load(gateway, ready=2)
    second.stop()
    wait_for_load(gateway, ready=1)
    assert {post(make_route(first, second)).text for _ in range(4)} == {"g1-0"}
    second.start()
    wait_for_load(gateway, ready=2)
    assert not first.requests[4:], "health checks are no requests"


def test_requests_wait_for_the_first_replica(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    """Scale to zero: control sees them wait, starts a replica, and they are answered."""
    empty = make_route(hold_ms=10_000)
    gateway.apply([empty])
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(post, empty) for _ in range(3)]
        wait_for_load(gateway, queued=3, busy=0, ready=0)
        gateway.apply([empty])
        backend = make_backend("g1-0")
        gateway.apply([make_route(backend, hold_ms=10_000)])
        assert [one.result(PATIENCE).text for one in waiting] == ["g1-0"] * 3
    assert wait_for_load(gateway, queued=0, ready=1).requests == 3
    gateway.apply([empty])
    with ThreadPoolExecutor() as pool:
        again = pool.submit(post, empty)
        wait_for_load(gateway, queued=1, ready=0)
        gateway.apply([make_route(backend, hold_ms=10_000)])
        assert again.result(PATIENCE).text == "g1-0"


def test_a_first_replica_that_does_not_come_is_503(gateway: Gateway, make_route: MakeRoute) -> None:
    route = make_route(hold_ms=600)
    gateway.apply([route])
    response = post(route)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert 0.6 <= response.elapsed.total_seconds() < PATIENCE
    assert "within 500 ms (600 ms while there is none)" in response.json()["message"]
