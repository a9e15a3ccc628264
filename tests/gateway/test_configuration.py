"""The text as a whole, and what a real HAProxy makes of it: each answer that a client can get."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.errors import GatewayException
from estiva.gateway import Gateway, configuration
from estiva.gateway.runtime import Key
from estiva.records import Access, Listener, Member, Probe, Route, Version
from tests.gateway.conftest import PATIENCE, Backend, MakeBackend, MakeRoute, listener, post, url

EXPECTED = Path(__file__).parent / "expected"

VERSION = Version(
    name="v1",
    members=(
        Member(name="g1-0", address="unix:/r/s m/1.sock"),
        Member(name="g1-1", address="10.0.0.7:5001"),
    ),
    concurrency=2,
    wait_ms=500,
    timeout_ms=60_000,
    body_limit=1024,
)
SUM = Route(name="sum", versions=(VERSION,), listener=Listener(host="127.0.0.1", port=8890))
EMPTY = VERSION.model_copy(update={"members": ()})
OTHER = Route(name="other", versions=(EMPTY,), listener=Listener(host="::1", port=80))
CHURN = Route(
    name="churn",
    kind="endpoint",
    versions=(
        EMPTY.model_copy(update={"name": "old", "is_default": True}),
        EMPTY.model_copy(update={"name": "new", "weight": 10, "hold_ms": 30_000}),
    ),
    shared=True,
    access=Access(
        key_hashes=("A" * 64,), token_key="/r/token.pem", token_grant="a" * 32, requests_per_second=5
    ),
    sticky_header="x-user",
)
SHARED = Listener(host="127.0.0.1", port=8900, certificate="/r/tls.pem")


def version(**changed: object) -> Route:
    return SUM.model_copy(update={"versions": (VERSION.model_copy(update=changed),)})


def test_the_whole_text_of_a_service_with_its_port() -> None:
    text = configuration.build([SUM], threads=2)
    assert text == (EXPECTED / "service.cfg").read_text().replace("DIGEST", configuration.shape(text))


def test_the_whole_text_of_an_endpoint_on_the_workspaces_port() -> None:
    text = configuration.build([CHURN, OTHER], SHARED)
    assert text == (EXPECTED / "endpoint.cfg").read_text().replace("DIGEST", configuration.shape(text))


def test_the_shape_is_everything_but_the_servers_and_the_keys() -> None:
    shape = configuration.shape(configuration.build([SUM, OTHER]))
    assert len(shape) == 32
    fewer = version(members=VERSION.members[:1])
    assert shape == configuration.shape(configuration.build([OTHER, fewer]))
    for changed in ({"concurrency": 3}, {"wait_ms": 1}, {"timeout_ms": 1}, {"body_limit": 1}):
        assert configuration.shape(configuration.build([version(**changed), OTHER])) != shape, changed
    moved = SUM.model_copy(update={"listener": Listener(host="127.0.0.1", port=8891)})
    assert configuration.shape(configuration.build([moved, OTHER])) != shape
    assert configuration.shape("") == ""
    keys = CHURN.model_copy(update={"access": CHURN.access.model_copy(update={"key_hashes": ()})})  # type: ignore[union-attr]
    assert configuration.build([CHURN], SHARED) == configuration.build([keys], SHARED)


def test_what_a_text_says_is_read_back() -> None:
    text = configuration.build([SUM, OTHER, CHURN], SHARED)
    assert configuration.listeners(text) == {("127.0.0.1", 8890), ("::1", 80), ("127.0.0.1", 8900)}
    check = "check inter 2000ms fastinter 500ms downinter 500ms fall 3 rise 1"
    assert configuration.servers(text) == {
        Key("service:sum:v1", "g1-0"): f"unix@/r/s\\ m/1.sock maxconn 2 {check}",
        Key("service:sum:v1", "g1-1"): f"10.0.0.7:5001 maxconn 2 {check}",
    }


anything = st.text() | st.sampled_from(["a b", "a\nb", "a'b", 'a"b', "a#b", "$HOME", "a\\", "%[x]", "-a", ""])


@given(
    service=anything,
    name=anything,
    host=anything,
    header=anything,
    member=anything,
    address=anything | anything.map("unix:/{}".format),
    certificate=anything.map("/{}".format),
)
def test_no_value_leaves_its_line(
    service: str, name: str, host: str, header: str, member: str, address: str, certificate: str
) -> None:
    """Either a value is refused, or the text is that of a plain value with this one in its place."""

    def route(service: str, name: str, header: str, member: str, address: str) -> Route:
        one = Member(name=member, address=address)
        first = VERSION.model_copy(update={"name": name, "members": (one,)})
        second = EMPTY.model_copy(update={"name": f"{name}-2", "is_default": True})
        return CHURN.model_copy(
            update={"name": service, "versions": (first, second), "sticky_header": header}
        )

    listener = Listener(host=host, port=8900, certificate=certificate)
    try:
        text = configuration.build([route(service, name, header, member, address)], listener)
    except GatewayException:
        return
    plain = configuration.build([route("churn", "v1", "x-user", "g1-0", "unix:/r/s m/1.sock")], SHARED)
    assert len(text.splitlines()) == len(plain.splitlines())
    assert set(configuration.servers(text)) == {Key(f"endpoint:{service}:{name}", member)}
    assert not set(text) - set(plain) & set("\r\n\t\"'#$\\`;|&")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"name": "a b"}, "'a b'"),
        ({"name": ""}, "service name"),
        ({"listener": Listener(host="127.0.0.1 ssl", port=1)}, "host"),
        ({"listener": Listener(host="::1", port=0)}, "port"),
        ({"listener": Listener(host="::1", port=65_536)}, "65536"),
        ({"listener": Listener(host="::1", port=1, certificate="a.pem")}, "certificate"),
        ({"sticky_header": "a b"}, "header"),
        ({"access": Access(key_hashes=("secret",))}, "hash of a key"),
        ({"access": Access(token_key="/a'b")}, "tokens' key"),
        ({"access": Access(token_grant="a b")}, "grant of tokens"),
        ({"access": Access(requests_per_second=0)}, "rate limit"),
        ({"versions": (VERSION, EMPTY)}, "version, given twice: 'service:sum:v1'"),
        (
            {"versions": tuple(EMPTY.model_copy(update={"name": n, "weight": 60}) for n in "abc")},
            "percentages: '120'",
        ),
    ],
)
def test_a_value_of_a_route_that_cannot_be_used_is_named(changed: dict[str, object], named: str) -> None:
    with pytest.raises(GatewayException) as raised:
        configuration.build([SUM.model_copy(update=changed)])
    assert raised.value.code == "InvalidRoute"
    assert named in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"name": "a b"}, "version name"),
        ({"concurrency": 0}, "concurrent requests"),
        ({"timeout_ms": 0}, "timeout"),
        ({"weight": 101}, "percentage"),
        ({"members": (Member(name="g1", address="unix:relative.sock"),)}, "relative.sock"),
        ({"members": (Member(name="g1", address="unix:/a\nb"),)}, "server address"),
        ({"members": (Member(name="g1", address="localhost"),)}, "server address"),
        ({"members": VERSION.members[:1] * 2}, "given twice: 'service:sum:v1/g1-0'"),
    ],
)
def test_a_value_of_a_version_that_cannot_be_used_is_named(changed: dict[str, object], named: str) -> None:
    with pytest.raises(GatewayException) as raised:
        configuration.build([version(**changed)])
    assert raised.value.code == "InvalidRoute"
    assert named in str(raised.value)


def test_two_services_cannot_have_one_name_or_port() -> None:
    with pytest.raises(GatewayException, match="name, given twice: 'service:sum'"):
        configuration.build([SUM, SUM.model_copy(update={"listener": None})])
    with pytest.raises(GatewayException, match=r"address, given twice: '127\.0\.0\.1:8890'"):
        configuration.build([SUM, SUM.model_copy(update={"name": "other"})])


# --- what a client gets ----------------------------------------------------------------------------------


@pytest.fixture
def backend(make_backend: MakeBackend) -> Backend:
    return make_backend("g1-0")


def problem(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    return str(response.json()["message"])


@pytest.mark.haproxy
def test_the_request_id_is_passed_on_and_returned(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    route = make_route(backend)
    gateway.apply([route])
    assert post(route, headers={"x-request-id": "mine, 1"}).headers["x-request-id"] == "mine, 1"
    made = [post(route).headers["x-request-id"] for _ in range(2)]
    assert made[0] != made[1]
    assert [request["x-request-id"] for request in backend.requests] == ["mine, 1", *made]


@pytest.mark.haproxy
@pytest.mark.parametrize("earlier", [0, 2], ids=["new connection", "kept connection"])
def test_a_replica_that_ends_during_a_request_is_502(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, earlier: int
) -> None:
    route = make_route(backend)
    gateway.apply([route])
    with httpx.Client(timeout=PATIENCE) as client:
        for _ in range(earlier):
            assert client.post(url(route)).status_code == 200
        response = client.post(url(route, "/die"), headers={"x-request-id": "mine"})
    assert response.status_code == 502
    assert "ended before it answered" in problem(response)
    assert response.headers["x-request-id"] == "mine"
    assert response.headers["x-ms-run-function-failed"] == "True"
    assert [request["path"] for request in backend.requests].count("/die") == 1, "never executed twice"


@pytest.mark.haproxy
def test_no_free_replica_in_time_is_503_with_the_numbers(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    route = make_route(backend, concurrency=1, wait_ms=100)
    gateway.apply([route])
    with ThreadPoolExecutor() as pool:
        running = pool.submit(post, route, "/hold")
        assert backend.held.acquire(timeout=PATIENCE)
        response = post(route)
        backend.release.set()
        assert running.result(PATIENCE).status_code == 200
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert problem(response) == (
        "No replica of service sum could take the request within 100 ms. It has 1 for 1 at a time each, "
        "and 0 more wait. Try again, or add replicas."
    )
    assert {**response.json(), "message": ""} == {
        "message": "", "service": "sum", "limit": 1, "queue": 0, "replicas": 1
    }  # fmt: skip
    assert len(backend.requests) == 1


@pytest.mark.haproxy
def test_a_request_that_waits_gets_the_slot_that_becomes_free(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    route = make_route(backend, concurrency=1, wait_ms=5_000)
    gateway.apply([route])
    with ThreadPoolExecutor() as pool:
        running = pool.submit(post, route, "/hold")
        assert backend.held.acquire(timeout=PATIENCE)
        waiting = pool.submit(post, route)
        backend.release.set()
        assert running.result(PATIENCE).status_code == waiting.result(PATIENCE).status_code == 200


@pytest.mark.haproxy
def test_a_client_that_leaves_does_not_free_the_slot_of_what_runs(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    route = make_route(backend, concurrency=1, wait_ms=50)
    gateway.apply([route])
    with socket.create_connection(listener(route)) as client:
        client.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
        assert backend.held.acquire(timeout=PATIENCE)
    assert post(route).status_code == 503
    backend.release.set()
    assert post(route).status_code == 200


@pytest.mark.haproxy
def test_no_answer_within_the_timeout_is_504(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    route = make_route(backend, timeout_ms=10)
    gateway.apply([route])
    response = post(route, "/hold")
    assert response.status_code == 504
    assert problem(response) == "Service sum did not answer within 10 ms, its scoring timeout."
    assert response.elapsed.total_seconds() >= (10 + configuration.GRACE_MS) / 1000
    assert post(route).status_code == 200


@pytest.mark.haproxy
@pytest.mark.parametrize("size", [1001, 20_000_000])
def test_a_body_over_the_limit_is_413(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, size: int
) -> None:
    route = make_route(backend, body_limit=1000)
    gateway.apply([route])
    assert post(route, content=b"x" * 1000).status_code == 200
    response = post(route, content=b"x" * size)
    assert response.status_code == 413
    assert problem(response) == "The body of the request is larger than 1000 bytes, the limit of service sum."
    assert len(backend.requests) == 1


@pytest.mark.haproxy
def test_a_body_of_many_gigabytes_is_refused_before_it_is_sent(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    """A length that does not fit in 32 bits."""
    route = make_route(backend)
    gateway.apply([route])
    with socket.create_connection(listener(route), PATIENCE) as client:
        client.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 8589934593\r\n\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 413 ")
    assert not backend.requests


@pytest.mark.haproxy
@pytest.mark.parametrize(
    "request_text",
    ["NOT HTTP\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
)
def test_what_is_not_http_is_400_and_goes_nowhere(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, request_text: str
) -> None:
    route = make_route(backend)
    gateway.apply([route])
    with socket.create_connection(listener(route), PATIENCE) as client:
        client.sendall(request_text.encode())
        assert client.recv(65_536).startswith(b"HTTP/1.1 400 ")
    assert not backend.requests


@pytest.mark.haproxy
def test_a_replica_whose_worker_is_replaced_is_waited_for(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    """Its supervisor keeps the socket open, so the connection waits for the next worker."""
    route = make_route(backend)
    gateway.apply([route])
    backend.stop()
    backend.listen()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(post, route)
        assert not wait([waiting], timeout=0.1).done
        backend.serve()
        assert waiting.result(PATIENCE).text == "g1-0"


@pytest.mark.haproxy
def test_a_replica_that_is_gone_is_not_noticed_while_another_lives(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    gone, alive = make_backend("g1-0"), make_backend("g1-1")
    route = make_route(gone, alive)
    gateway.apply([route])
    gone.stop()
    assert {post(route).text for _ in range(10)} == {"g1-1"}


@pytest.mark.haproxy
def test_the_only_replica_gone_is_503_that_may_be_tried_again(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    route = make_route(backend)
    gateway.apply([route])
    backend.stop()
    with httpx.Client(timeout=PATIENCE) as client:
        for _ in range(2):
            response = client.post(url(route))
            assert response.status_code == 503
            assert response.headers["retry-after"] == "1"
            assert json.loads(response.text)["service"] == "sum"
    backend.start()
    assert post(route).status_code == 200


def test_the_probe_of_a_version() -> None:
    text = configuration.build([version(probe=Probe(period_seconds=0.25, failure_threshold=7))])
    assert "check inter 250ms fastinter 250ms downinter 250ms fall 7 rise 1" in text
    patient = Probe(period_seconds=10, timeout_seconds=2, success_threshold=2)
    text = configuration.build([version(probe=patient)])
    assert "check inter 10000ms fastinter 500ms downinter 500ms fall 3 rise 2" in text
    assert "timeout check 2000ms" in text
