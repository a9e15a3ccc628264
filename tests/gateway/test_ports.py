from __future__ import annotations

import errno
import os
import socket

import psutil
import pytest

from estiva.errors import GatewayException
from estiva.gateway import ports

LOOPBACK = "127.0.0.1"


def test_a_free_port_is_nobodys() -> None:
    port = ports.free_port(LOOPBACK)
    assert 1024 <= port < 65_536
    assert ports.holder(LOOPBACK, port) is None


def test_the_holder_is_named() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        found = ports.holder(LOOPBACK, port)
        assert found in (f"{psutil.Process().name()} (pid {os.getpid()})", ports.UNKNOWN)
        with pytest.raises(
            GatewayException, match=rf"Port {port} of 127.0.0.1 is in use by .*Stop it"
        ) as raised:
            ports.check(LOOPBACK, port)
    assert raised.value.code == "PortInUse"


def test_a_port_bound_by_all_addresses_is_taken_on_each() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert ports.holder(LOOPBACK, server.getsockname()[1]) is not None


def test_a_port_with_connections_in_time_wait_is_free() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)):
            accepted, _ = server.accept()
            accepted.close()
    assert ports.holder(LOOPBACK, port) is None


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine(host: str) -> None:
    with pytest.raises(GatewayException) as raised:
        ports.holder(host, 8080)
    assert raised.value.code == "AddressNotAvailable"
    assert host in str(raised.value)


def test_a_port_that_needs_a_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's refusal is put in place, since a test may run as a user who may bind every port."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(GatewayException) as raised:
        ports.holder(LOOPBACK, 80)
    assert raised.value.code == "PortNotAllowed"
    assert "1024" in str(raised.value)
