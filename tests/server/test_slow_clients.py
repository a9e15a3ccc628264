"""Clients that take their time do not take the server."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from estiva_server.native import READERS
from tests.server.conftest import Serve
from tests.server.serving import SECONDS, ScoringServer

COUNT = "def init(): pass\ndef run(data): return len(data)\n"
IDLE = 1500
PROMPT_SECONDS = 5.0
"""Far below any time limit of a stuck server, far above what a busy machine needs."""


@pytest.fixture
def server(serve: Serve) -> ScoringServer:
    return serve({"score.py": COUNT})


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < IDLE + 500:
        pytest.skip(f"needs {IDLE + 500} open files, and this machine allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, IDLE + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def connected(server: ScoringServer, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        yield [stack.enter_context(socket.create_connection(address, SECONDS)) for _ in range(count)]


def begin_body(client: socket.socket) -> None:
    client.sendall(b"POST /score HTTP/1.1\r\nhost: here\r\ncontent-length: 10\r\n\r\n12345")


def is_prompt(server: ScoringServer) -> bool:
    began = time.monotonic()
    assert server.ask("GET", "/").status == 200
    assert server.score("abc").json == 3
    return time.monotonic() - began < PROMPT_SECONDS


def test_bodies_that_trickle_in(server: ScoringServer) -> None:
    with connected(server, READERS) as clients:
        for client in clients:
            begin_body(client)
        assert is_prompt(server)
        for client in clients:
            client.sendall(b"67890")
        for client in clients:
            assert client.recv(4096).endswith(b"\r\n\r\n10")
    assert is_prompt(server)


def test_clients_that_leave_in_the_middle_of_a_body(server: ScoringServer) -> None:
    for _ in range(3):
        with connected(server, READERS) as clients:
            for client in clients:
                begin_body(client)
    assert is_prompt(server)


@pytest.mark.usefixtures("many_files")
def test_connections_that_are_idle(server: ScoringServer) -> None:
    with connected(server, IDLE):
        assert is_prompt(server)
