"""Whether a port can be bound, and who holds it."""

from __future__ import annotations

import errno
import socket

import psutil

from estiva.errors import GatewayException

UNKNOWN = "another program"


def holder(host: str, port: int) -> str | None:
    """None if `host:port` can be bound, else who holds it: "nginx (pid 1234)" or "another program".

    Raises GatewayException where the port is free but may not be bound: code "PortNotAllowed" or
    "AddressNotAvailable".
    """
    try:
        family, kind, protocol, _, address = _resolve(host, port)
        with socket.socket(family, kind, protocol) as probe:
            # As HAProxy binds: a port in TIME_WAIT is free, one that somebody listens on is not.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _listener(port)
        raise _refusal(host, port, error) from error
    return None


def check(host: str, port: int) -> None:
    """Raises GatewayException, code "PortInUse", if somebody holds the port; else as `holder` does."""
    found = holder(host, port)
    if found is not None:
        raise GatewayException(
            f"Port {port} of {host} is in use by {found}. Stop it, or choose another port.", code="PortInUse"
        )


def free_port(host: str) -> int:
    """A port that nobody holds now; whoever binds it must still be ready to find it taken."""
    family, kind, protocol, _, address = _resolve(host, 0)
    with socket.socket(family, kind, protocol) as probe:
        probe.bind(address)
        return int(probe.getsockname()[1])


def _resolve(
    host: str, port: int
) -> tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    family, kind, protocol, name, address = found
    return family, kind, protocol, name, (str(address[0]), int(address[1]))


def _listener(port: int) -> str:
    """Not every system lets a user see whose connections those are."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return UNKNOWN


def _refusal(host: str, port: int, error: OSError) -> GatewayException:
    if error.errno in (errno.EACCES, errno.EPERM):
        return GatewayException(
            f"Port {port} may not be bound by this user: ports below 1024 need a permission of the system. "
            "Choose a port from 1024 to 65535.",
            code="PortNotAllowed",
            detail=str(error),
        )
    return GatewayException(
        f"{host} is not an address of this machine ({error.strerror or error}). Choose 127.0.0.1 for this "
        "machine alone, or 0.0.0.0 for all its addresses.",
        code="AddressNotAvailable",
        detail=str(error),
    )
