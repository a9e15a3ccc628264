"""Clients that leave before they are answered: what their request still costs the others."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from estiva.gateway import Gateway
from estiva.records import Load, Route
from tests.gateway.conftest import PATIENCE, Backend, MakeBackend, MakeRoute, listener, post

pytestmark = pytest.mark.haproxy

_RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def backend(make_backend: MakeBackend) -> Backend:
    return make_backend("g1-0")


def ask(route: Route, path: str) -> socket.socket:
    client = socket.create_connection(listener(route), PATIENCE)
    client.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    return client


def reset(client: socket.socket) -> None:
    """Closes as a client does that has crashed, or was sent what it no longer wants."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    client.close()


def wait_for_load(gateway: Gateway, busy: int, queued: int) -> None:
    deadline = time.monotonic() + PATIENCE
    found: tuple[Load, ...] = ()
    while [(load.busy, load.queued) for load in found] != [(busy, queued)]:
        assert time.monotonic() < deadline, found
        threading.Event().wait(0.01)
        found = gateway.load()


@pytest.mark.parametrize("leave", [reset, socket.socket.close])
def test_who_leaves_while_it_waits_frees_its_place_after_the_wait_and_is_not_run(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, leave: Callable[[socket.socket], None]
) -> None:
    """Who only stops sending may still want its answer; a reset frees the place earlier, mostly."""
    route = make_route(backend, concurrency=1, wait_ms=1_000)
    gateway.apply([route])
    with ThreadPoolExecutor() as pool:
        running = pool.submit(post, route, "/hold")
        assert backend.held.acquire(timeout=PATIENCE)
        waiting = [ask(route, f"/left-{number}") for number in range(20)]
        wait_for_load(gateway, busy=1, queued=20)
        for client in waiting:
            leave(client)
        wait_for_load(gateway, busy=1, queued=0)
        backend.release.set()
        assert running.result(PATIENCE).status_code == 200
    assert post(route, "/after").status_code == 200
    assert [request["path"] for request in backend.requests] == ["/hold", "/after"]


def test_bodies_that_trickle_in_keep_no_replica_busy(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    route = make_route(backend, concurrency=1, wait_ms=50)
    gateway.apply([route])
    slow = [socket.create_connection(listener(route), PATIENCE) for _ in range(50)]
    try:
        for client in slow:
            client.sendall(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert [post(route).status_code for _ in range(5)] == [200] * 5
        slow[0].sendall(b"x" * 99)
        assert slow[0].recv(100).startswith(b"HTTP/1.1 200 ")
    finally:
        for client in slow:
            client.close()
    assert [request["path"] for request in backend.requests] == ["/score"] * 5 + ["/slow"]
