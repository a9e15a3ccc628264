from __future__ import annotations

from pathlib import Path

import pytest

from estiva.errors import GatewayException
from estiva.gateway import Gateway, binary, configuration
from estiva.gateway.process import Process
from estiva.home import Home
from tests.gateway.conftest import Backend, MakeBackend, MakeRoute, post

pytestmark = pytest.mark.haproxy


@pytest.fixture
def backend(make_backend: MakeBackend) -> Backend:
    return make_backend("g1-0")


def test_a_configuration_that_haproxy_refuses(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    """Before a start and before a reload, with HAProxy's reason; what served goes on."""
    route = make_route(backend)
    process = gateway._process
    broken = configuration.build([route]).replace("balance leastconn", "balance guesswork")
    with pytest.raises(GatewayException, match="balance only supports"):
        process.start(broken)
    assert not gateway.alive()
    gateway.apply([route])
    served = process.served()
    with pytest.raises(GatewayException, match="balance only supports"):
        process.reload(broken)
    assert process.served() == served
    assert post(route).status_code == 200


def test_a_reload_that_fails_in_haproxy_itself(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it becomes wrong after it was checked."""
    route = make_route(backend)
    gateway.apply([route])
    process = gateway._process
    served = process.served()
    monkeypatch.setattr(process, "_validate", lambda: None)
    with pytest.raises(GatewayException, match="balance only supports"):
        process.reload(served.replace("balance leastconn", "balance guesswork"))
    assert process.served() == served
    assert post(route).status_code == 200
    gateway.apply([make_route(backend, wait_ms=1)])
    assert post(route).status_code == 200


def test_no_haproxy_at_all(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binary, "find", lambda: None)
    with pytest.raises(GatewayException) as raised:
        gateway.apply([make_route(backend)])
    assert raised.value.code == "HAProxyMissing"


def test_a_socket_path_that_is_too_long_is_said_so(home: Home, make_route: MakeRoute) -> None:
    process = Process(home.gateways / "default", Path("/tmp") / ("long" * 30) / "gw.sock")
    with pytest.raises(GatewayException) as raised:
        process._check_socket()
    assert raised.value.code == "InvalidSocketPath"
    assert "ESTIVA_HOME" in str(raised.value)


def test_the_log_is_bounded(gateway: Gateway, home: Home, backend: Backend, make_route: MakeRoute) -> None:
    gateway.apply([make_route(backend)])
    log = home.gateways / "default" / "haproxy.log"
    with log.open("a") as stream:
        stream.write("x" * 2_000_000)
    gateway.apply([make_route(backend, wait_ms=1)])
    gateway.apply([make_route(backend, wait_ms=2)])
    assert 0 < log.stat().st_size < 10_000, "HAProxy goes on where the log was cut"


def test_to_stop_is_idempotent_and_leaves_no_socket(
    gateway: Gateway, home: Home, backend: Backend, make_route: MakeRoute
) -> None:
    gateway.stop()
    gateway.apply([make_route(backend)])
    assert list(home.runtime.glob("gw-*"))
    gateway.stop()
    gateway.stop()
    assert not list(home.runtime.glob("gw-*"))
