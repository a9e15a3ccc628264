"""What arrives at the workspace's port and at a service's own, and what of it goes further."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable

import httpx
import pytest

from estiva.gateway import Gateway, ports
from estiva.home import Home
from estiva.records import Listener, Route
from tests.gateway.conftest import LOOPBACK, PATIENCE, Backend, MakeBackend, MakeRoute, listener, post, url

pytestmark = pytest.mark.haproxy


@pytest.fixture
def backend(make_backend: MakeBackend) -> Backend:
    return make_backend("g3-0")


class Shared:
    """The port of a workspace with service and endpoint "sum", and a service that is not on it."""

    def __init__(self, gateway: Gateway, service: Route, endpoint: Route, own: Route) -> None:
        self.port = ports.free_port(LOOPBACK)
        on_it = {"listener": None, "shared": True}
        routes = [service.model_copy(update=on_it), endpoint.model_copy(update=on_it), own]
        gateway.apply(routes, Listener(host=LOOPBACK, port=self.port))

    def ask(self, target: str, method: str = "POST") -> tuple[int, bytes]:
        """The target goes out as it is, as no polite client would send it."""
        return raw(self.port, f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())


def raw(port: int, request: bytes) -> tuple[int, bytes]:
    """Status and body of one answer, after which the connection must close."""
    with socket.create_connection((LOOPBACK, port), 2 * PATIENCE) as client:  # one answer takes 10 s
        client.sendall(request)
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.fixture
def shared(gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute, backend: Backend) -> Shared:
    endpoint = make_route(make_backend("endpoint"), kind="endpoint")
    return Shared(gateway, make_route(backend), endpoint, make_route(backend, service="hidden"))


def test_services_and_endpoints_share_a_port(shared: Shared, backend: Backend) -> None:
    assert shared.ask("/api/v1/service/sum/score?a=1") == (200, b"g3-0")
    assert shared.ask("/api/v1/service/sum/swagger.json", "GET") == (200, b"g3-0")
    assert shared.ask("/api/v1/service/sum/", "GET")[0] == 200
    assert shared.ask("/api/v1/endpoint/sum/score") == (200, b"endpoint")
    assert [request["path"] for request in backend.requests] == ["/score?a=1", "/swagger.json"]


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/score",
        "/api/v1/service/other/score",
        "/api/v1/service/hidden/score",
        "/api/v1/endpoint/hidden/score",
        "/api/v1/service/sum",
        "/api/v1/service/sum/score/",
        "/api/v1/service/sum/metrics",
        "/api/v1/service//sum/score",
        "//api/v1/service/sum/score",
        "/api/v1/service/sum//score",
        "/api/v1/service/../service/sum/score",
        "/api/v1/service/hidden/../sum/score",
        "/api/v1/service/sum/%73core",
        "/api/v1/service/%73um/score",
        "/api/v1/service/sum/..%2fsum/score",
        "/api/v1/service/sum%2fscore",
        "/api/v1/service/sum/score%00",
        "/api/v1/service/sum/score;a=1",
        "/API/v1/service/sum/score",
        "/api/v1/service/SUM/score",
    ],
)
def test_what_is_not_exactly_a_path_is_404_and_goes_nowhere(
    shared: Shared, backend: Backend, target: str
) -> None:
    status, body = shared.ask(target)
    assert status == 404
    assert json.loads(body)["message"].startswith("There is no")
    assert not backend.requests


def test_metrics_are_at_the_workspaces_port(shared: Shared) -> None:
    assert shared.ask("/api/v1/service/sum/score")[0] == 200
    status, body = shared.ask("/metrics", "GET")
    assert status == 200
    assert b'haproxy_backend_http_requests_total{proxy="service:sum:v1"} 1' in body


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 1\r\nContent-Length: 2\r\n",
        b"Content-Length: 1, 2\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 1x\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked, gzip\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"No colon\r\n",
        b"A: b\r\n folded\0\r\n",
        b"A: " + b"x" * 20_000 + b"\r\n",
        b"".join(b"A%d: b\r\n" % n for n in range(200)),
    ],
)
def test_lengths_that_contradict_and_floods_of_headers_are_refused(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, fields: bytes
) -> None:
    route = make_route(backend)
    gateway.apply([route])
    smuggled = b"5\r\nabcde\r\n0\r\n\r\nPOST /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    status, _ = raw(listener(route)[1], b"POST /score HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n" + smuggled)
    assert status in (400, 413, 422, 501)
    assert not backend.requests
    assert post(route).status_code == 200


def test_a_length_beside_chunks_smuggles_nothing(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    """As the standard has it: the chunks count, the length is dropped, and the connection closes."""
    route = make_route(backend)
    gateway.apply([route])
    both = b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw(listener(route)[1], both + b"0\r\n\r\nPOST /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [request["path"] for request in backend.requests] == ["/score"]
    assert "content-length" not in backend.requests[0]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"POST /score HTTP/1.1\nHost: x\nContent-Length: 2\n", b"\n{}"),
        (b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nA: b\r\n c\r\n", b"\r\n{}"),
        (
            b"POST /score HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n",
            b"\r\n2;a=b\r\n{}\r\n0\r\n\r\n",
        ),
    ],
    ids=["bare line feeds", "a folded field", "a chunk extension"],
)
def test_old_ways_to_write_a_request_reach_the_replica_as_one_plain_request(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, head: bytes, body: bytes
) -> None:
    """Which the standard lets a proxy do: what it sends on is its own writing."""
    route = make_route(backend)
    gateway.apply([route])
    status, _ = raw(listener(route)[1], head + b"Connection: close\r\n" + body)
    assert status == 200
    assert [request["path"] for request in backend.requests] == ["/score"]
    assert not any("\n" in value or "\r" in value for value in backend.requests[0].values())


@pytest.mark.parametrize(
    "chunks",
    [b"-2\r\n{}\r\n", b"0x2\r\n{}\r\n", b"fffffffffffffffff\r\n{}", b"2\r\n{}XX0\r\n\r\n", b"2 2\r\n{}\r\n"],
)
def test_chunks_that_are_none_are_refused(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, chunks: bytes
) -> None:
    route = make_route(backend)
    gateway.apply([route])
    head = b"POST /score HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    status, _ = raw(listener(route)[1], head + chunks + b"POST /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == 400
    assert "/smuggled" not in [request["path"] for request in backend.requests]
    assert post(route).status_code == 200


def test_slow_clients_do_not_keep_others_waiting(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    """They occupy connections, but no replica: a request goes on when its head is complete."""
    route = make_route(backend, concurrency=1, wait_ms=50)
    gateway.apply([route])
    slow = [socket.create_connection(listener(route), PATIENCE) for _ in range(100)]
    try:
        for client in slow:
            client.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nA:")
        assert [post(route).status_code for _ in range(5)] == [200] * 5
    finally:
        for client in slow:
            client.close()


@pytest.mark.slow
def test_a_head_that_does_not_come_is_408(gateway: Gateway, backend: Backend, make_route: MakeRoute) -> None:
    route = make_route(backend)
    gateway.apply([route])
    status, _ = raw(listener(route)[1], b"POST /score HTTP/1.1\r\nHost:")
    assert status == 408


# --- the access log --------------------------------------------------------------------------------------


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_each_request_is_a_line_of_the_access_log(
    gateway: Gateway, home: Home, backend: Backend, make_route: MakeRoute
) -> None:
    route = make_route(backend)
    gateway.apply([route])
    httpx.post(
        url(route, "/score?key=secret"), headers={"x-request-id": 'my "id"', "Authorization": "Bearer s3"}
    )
    log = home.gateways / "default" / "access.log"
    wait_for(lambda: log.read_bytes().count(b"\n") == 1)
    line = json.loads(log.read_text())
    times = {name: line.pop(name) for name in ("time", "queue_ms", "run_ms", "total_ms")}
    assert all(value >= 0 for value in times.values())
    assert line.pop("sent_bytes") > 4
    assert line.pop("received_bytes") > 50
    assert line == {
        "id": 'my "id"',
        "kind": "service",
        "name": "sum",
        "version": "v1",
        "generation": "g3",
        "replica": "g3-0",
        "method": "POST",
        "status": 200,
        "end": "--",
    }


def test_what_was_refused_is_in_the_log_without_what_it_carried(
    gateway: Gateway, home: Home, shared: Shared
) -> None:
    shared.ask("/api/v1/service/other/score?key=secret")
    raw(shared.port, b"secret\r\n\r\n")
    log = home.gateways / "default" / "access.log"
    wait_for(lambda: log.read_bytes().count(b"\n") == 2)
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == [404, 400]
    assert "secret" not in log.read_text()
