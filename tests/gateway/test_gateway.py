"""What `Gateway.apply` promises while requests run, through a real HAProxy."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import httpx
import psutil
import pytest

from estiva.errors import GatewayException
from estiva.gateway import Gateway, ports
from estiva.gateway.runtime import Workers
from estiva.home import Home
from estiva.records import Member, Route
from tests.gateway.conftest import (
    LOOPBACK,
    PATIENCE,
    Load,
    MakeBackend,
    MakeRoute,
    listener,
    pool_of,
    post,
    url,
)

pytestmark = pytest.mark.haproxy


def workers(gateway: Gateway) -> Workers:
    return gateway._process.runtime.workers()


def with_members(route: Route, *members: Member) -> Route:
    version = route.default.model_copy(update={"members": members})
    return route.model_copy(update={"versions": (version,)})


def wait_until_quiet(gateway: Gateway, member: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not gateway.quiet(pool_of(), member):
        assert time.monotonic() < deadline, f"{member} is still in use"
        threading.Event().wait(0.02)


def test_each_service_has_its_port(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    one = make_route(make_backend("g1-0"))
    two = make_route(make_backend("g7-0"), service="other.service_2")
    gateway.apply([one, two])
    assert post(one).text == "g1-0"
    assert post(two).text == "g7-0"


def test_nothing_to_do_changes_nothing(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    route = make_route(make_backend("g1-0"))
    gateway.apply([route])
    before = workers(gateway)
    gateway.apply([route])
    assert workers(gateway) == before


def test_no_routes_end_the_process(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    route = make_route(make_backend("g1-0"))
    gateway.apply([])
    assert not gateway.alive()
    gateway.apply([route])
    assert gateway.alive()
    gateway.apply([])
    assert not gateway.alive()
    assert ports.holder(LOOPBACK, listener(route)[1]) is None
    assert gateway.quiet(pool_of(), "g1-0")


def test_swapping_replicas_under_load_loses_nothing(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    backends = [make_backend(f"g{n}-0") for n in range(1, 6)]
    gateway.apply([make_route(backends[0])])
    started = workers(gateway)
    with Load(make_route(backends[0])) as load:
        for old, new in pairwise(backends):
            load.wait_for(20)
            gateway.apply([make_route(new)])
            wait_until_quiet(gateway, old.name)
            old.stop()
            load.wait_for(10, new.name)
    assert load.sent == load.answers.total()
    assert set(load.answers) == {backend.name for backend in backends}
    assert workers(gateway) == started, "members are changed without a reload"


def test_reloading_under_load_loses_nothing(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    route = make_route(make_backend("g1-0"))
    other = make_route(make_backend("g1-0"), service="other")
    gateway.apply([route])
    with Load(route) as load:
        for routes in ([route, other], [route], [route, other]):
            load.wait_for(20)
            gateway.apply(routes)
        load.wait_for(20)
    assert load.sent == load.answers.total()
    assert set(load.answers) == {"g1-0"}
    assert post(other).status_code == 200


def test_a_member_that_goes_finishes_its_request(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    old, new = make_backend("g1-0"), make_backend("g2-0")
    gateway.apply([make_route(old)])
    with ThreadPoolExecutor() as pool:
        running = pool.submit(post, make_route(old), "/hold")
        assert old.held.acquire(timeout=PATIENCE)
        assert not gateway.quiet(pool_of(), "g1-0"), "it serves"
        gateway.apply([make_route(new)])
        assert not gateway.quiet(pool_of(), "g1-0"), "it has a request"
        assert post(make_route(new)).text == "g2-0"
        gateway.apply([make_route(new)])
        old.release.set()
        assert running.result(PATIENCE).text == "g1-0"
    wait_until_quiet(gateway, "g1-0")
    assert not gateway.quiet(pool_of(), "g2-0")


def test_a_member_that_died_is_quiet_when_it_has_gone(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    old, new = make_backend("g1-0"), make_backend("g2-0")
    gateway.apply([make_route(old)])
    old.stop()
    wait_until_ready(gateway, 0)
    gateway.apply([make_route(new)])
    wait_until_quiet(gateway, "g1-0")
    assert post(make_route(new)).text == "g2-0"
    gateway.apply([make_route(new)])  # deletes it
    assert gateway.quiet(pool_of(), "g1-0")


def wait_until_ready(gateway: Gateway, count: int) -> None:
    """Until the health checks have found out."""
    deadline = time.monotonic() + PATIENCE
    while sum(load.ready for load in gateway.load()) != count:
        assert time.monotonic() < deadline, gateway.load()
        threading.Event().wait(0.02)


def test_a_name_that_comes_back_with_another_address_is_followed(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    first, second, replacement = make_backend("g1-0"), make_backend("g2-0"), make_backend("g1-0")
    replacement.name = "replacement"
    moved = first.member.model_copy(update={"address": replacement.member.address})
    route = make_route(first)
    gateway.apply([route])
    gateway.apply([with_members(route, moved)])
    assert post(route).text == "replacement"
    gateway.apply([make_route(second)])
    gateway.apply([route])
    assert post(route).text == "g1-0"


def test_old_replicas_must_outlive_the_old_process_of_a_reload(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    """A connection that was open before the reload gets one more answer, from the old replica."""
    old, new = make_backend("g1-0"), make_backend("g2-0")
    gateway.apply([make_route(old)])
    with httpx.Client() as client:
        assert client.post(url(make_route(old))).text == "g1-0"
        gateway.apply([make_route(new, wait_ms=600)])
        assert post(make_route(new)).text == "g2-0"
        assert not gateway.quiet(pool_of(), "g1-0")
        assert client.post(url(make_route(new))).text == "g1-0"
        wait_until_quiet(gateway, "g1-0")
        assert client.post(url(make_route(new))).text == "g2-0"


def test_an_old_process_does_not_hold_replicas_that_it_never_knew(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    first, second, third = (make_backend(f"g{n}-0") for n in (1, 2, 3))
    gateway.apply([make_route(first)])
    with ThreadPoolExecutor() as pool:
        running = pool.submit(post, make_route(first), "/hold")
        assert first.held.acquire(timeout=PATIENCE)
        gateway.apply([make_route(second, wait_ms=600)])
        gateway.apply([make_route(third, wait_ms=600)])
        assert workers(gateway).old
        assert gateway.quiet(pool_of(), "g2-0")
        assert not gateway.quiet(pool_of(), "g1-0")
        first.release.set()
        assert running.result(PATIENCE).text == "g1-0"


def test_killed_it_is_started_again(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    route = make_route(make_backend("g1-0"))
    gateway.apply([route])
    master = psutil.Process(workers(gateway).master)
    master.kill()
    master.wait(PATIENCE)
    assert not gateway.alive()
    gateway.apply([route])
    assert gateway.alive()
    assert post(route).text == "g1-0"


def test_another_control_server_goes_on_with_the_same_process(
    gateway: Gateway, home: Home, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    old, new = make_backend("g1-0"), make_backend("g2-0")
    gateway.apply([make_route(old)])
    before = workers(gateway)
    successor = Gateway(home.gateways / "default", home.runtime)
    assert successor.alive()
    successor.apply([make_route(old)])
    successor.apply([make_route(new)])
    assert workers(gateway) == before
    assert post(make_route(new)).text == "g2-0"
    assert successor.quiet(pool_of(), "g1-0")


def test_a_change_that_was_cut_short_is_completed(
    gateway: Gateway, home: Home, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    """The control server was killed after it told HAProxy half, before it wrote anything down."""
    old, new = make_backend("g1-0"), make_backend("g2-0")
    gateway.apply([make_route(old)])
    runtime = gateway._process.runtime
    current = workers(gateway).current
    assert current
    runtime.ask(current, f"add server {pool_of()}/g2-0 unix@{new.path} maxconn 8")
    Gateway(home.gateways / "default", home.runtime).apply([make_route(new)])
    assert {post(make_route(new)).text for _ in range(5)} == {"g2-0"}


class Killed(BaseException):
    """The end of the control server, from which nothing recovers."""


@pytest.mark.parametrize("moment", ["_validate", "record"])
def test_a_reload_that_was_cut_short_is_completed(
    gateway: Gateway,
    home: Home,
    make_backend: MakeBackend,
    make_route: MakeRoute,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    """Before HAProxy was told, or after; with a new service, and an address that changed under its name."""
    old, moved = make_backend("g1-0"), make_backend("g1-0")
    moved.name = "moved"

    def die(*_: object) -> None:
        raise Killed

    gateway.apply([make_route(old)])
    address = moved.member.model_copy(update={"name": "g1-0"})
    route = with_members(make_route(old), address)
    for wanted in ([route], [route, make_route(old, service="other")]):
        monkeypatch.setattr(gateway._process, moment, die)
        with pytest.raises(Killed):
            gateway.apply(wanted)
        Gateway(home.gateways / "default", home.runtime).apply(wanted)
        assert {post(one).text for one in wanted} <= {"moved", "g1-0"}
        assert post(route).text == "moved"


def test_a_port_in_use_is_named_and_what_served_goes_on(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    route, other = make_route(make_backend("g1-0")), make_route(service="other")
    gateway.apply([route])
    with socket.create_server((LOOPBACK, listener(other)[1])), pytest.raises(GatewayException) as raised:
        gateway.apply([route, other])
    assert raised.value.code == "PortInUse"
    assert f"Port {listener(other)[1]} of {LOOPBACK} is in use by " in str(raised.value)
    assert f"(pid {psutil.Process().pid})" in str(raised.value)
    assert post(route).text == "g1-0"
    gateway.apply([route, other])
    assert post(other).status_code == 503


def test_two_gateways_do_not_share_a_port(
    gateway: Gateway, home: Home, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    route = make_route(make_backend("g1-0"))
    gateway.apply([route])
    second = Gateway(home.gateways / "second", home.runtime)
    with pytest.raises(GatewayException, match="haproxy"):
        second.apply([route])
    assert not second.alive()


def test_a_service_moves_to_another_host_of_the_same_port(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    backend = make_backend("g1-0")
    gateway.apply([make_route(backend)])
    route = make_route(backend, host="localhost")
    gateway.apply([route])
    assert post(route).text == "g1-0"


def test_threads_may_apply_at_once(
    gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    first, second = make_backend("g1-0"), make_backend("g2-0")
    routes = [make_route(first), make_route(first, second), make_route(second)]
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(gateway.apply, [routes[n % 3]]) for n in range(12)]:
            done.result(PATIENCE)
    gateway.apply([routes[2]])
    assert {post(routes[2]).text for _ in range(5)} == {"g2-0"}


def test_a_folder_that_cannot_be_written_is_an_error_of_the_gateway(
    home: Home, make_backend: MakeBackend, make_route: MakeRoute
) -> None:
    home.gateways.write_text("in the way")
    with pytest.raises(GatewayException) as raised:
        Gateway(home.gateways / "default", home.runtime).apply([make_route(make_backend("g1-0"))])
    assert raised.value.code == "GatewayFailed"
    assert str(home.gateways) in str(raised.value)
