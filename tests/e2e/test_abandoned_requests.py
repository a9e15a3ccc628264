"""Callers who give up, by the dozen: no replica ever runs more at a time than it may."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from estiva import AksWebservice, Model
from estiva.sdk.webservice import Webservice
from tests.e2e.conftest import Project, body, wait_until

COUNTING = """
import json, os, threading, time

lock = threading.Lock()
running = most = served = 0

def init():
    pass

def run(data):
    global running, most, served
    with lock:
        running += 1
        most = max(most, running)
        served += 1
    time.sleep(json.loads(data)["data"][0] / 1000)
    with lock:
        running -= 1
        return {"replica": os.getpid(), "most": most, "served": served}
"""
_LIMIT = 2
_RESET = struct.pack("ii", 1, 0)


@pytest.mark.parametrize(("replicas", "requests"), [(1, 60), pytest.param(2, 1500, marks=pytest.mark.slow)])
def test_what_callers_abandon_never_runs_beyond_the_limit(
    project: Project, tmp_path: Path, replicas: int, requests: int
) -> None:
    project.write(COUNTING)
    configuration = AksWebservice.deploy_configuration(
        num_replicas=replicas,
        replica_max_concurrent_requests=_LIMIT,
        auth_enabled=False,
        max_request_wait_time=2000,
        environment_variables={"WORKER_COUNT": "1"},
    )
    service = Model.deploy(project.workspace, "counting", [], project.inference(), configuration)
    service.wait_for_deployment()

    abandon(service, requests)
    wait_until(lambda: answers(service, 0) is not None, 30, "the service answers")
    found = [seen for _ in range(20 * replicas) if (seen := answers(service, 5))]
    assert len({seen["replica"] for seen in found}) == replicas
    assert max(seen["most"] for seen in found) <= _LIMIT
    assert sum({seen["replica"]: seen["served"] for seen in found}.values()) > requests / 10


def abandon(service: Webservice, requests: int) -> None:
    """From several threads: send, and leave by closing or resetting, at once or while it runs or waits."""
    turns = iter(range(requests))
    chance = random.Random(requests)

    def call() -> None:
        for _ in turns:
            client = ask(service, chance.choice((5, 30, 60)))
            threading.Event().wait(chance.uniform(0, 0.05))
            if chance.random() < 0.5:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.close()

    callers = [threading.Thread(target=call) for _ in range(12)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
        assert not caller.is_alive()


def ask(service: Webservice, milliseconds: int) -> socket.socket:
    target = urlsplit(str(service.scoring_uri))
    client = socket.create_connection(("127.0.0.1", target.port or 0), 30)
    content = body(milliseconds)
    head = f"POST {target.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
    client.sendall((head + content).encode())
    return client


def answers(service: Webservice, milliseconds: int) -> dict[str, int] | None:
    """What a replica has counted; None if none was free."""
    with ask(service, milliseconds) as client:
        head, _, content = client.recv(65_536).partition(b"\r\n\r\n")
    found: dict[str, int] = json.loads(content)
    return found if b" 200 " in head.splitlines()[0] else None
