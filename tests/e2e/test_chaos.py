"""Deployments, updates, reloads and deletions while the control server or a replica is killed at random.

Afterwards what is wanted and what runs agree, nothing is left behind, and no answer was ever wrong.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from estiva import LocalWebservice, Model, Workspace
from estiva.errors import ControlServerException, WebserviceException
from estiva.gateway import ports
from estiva.home import Home
from estiva.sdk.connection import connect
from estiva.sdk.inference import InferenceConfig
from tests.conftest import processes_in
from tests.e2e.conftest import wait_until

NAMES = ("first", "second")
SETTLE_SECONDS = 60.0

SCRIPT = """
import json

def init():
    pass

def run(data):
    return {{"version": {version}, "echo": json.loads(data)["n"]}}
"""


class Chaos:
    """One actor that changes services, and what it may expect of their answers."""

    def __init__(self, home: Home, workspace: Workspace, folder: Path, seed: int) -> None:
        self.home = home
        self.workspace = workspace
        self.folder = folder
        self.random = random.Random(seed)
        self.newest = 0
        self.wrong: list[str] = []
        self.answered = 0
        self.ports: set[int] = set()

    # --- what users do -------------------------------------------------------------------------------

    def act(self) -> None:
        name = self.random.choice(NAMES)
        exists = name in self.workspace.webservices
        actions: list[Callable[[str], None]] = [self.deploy]
        if exists:
            actions += [self.update, self.reload, self.delete]
        self.random.choice(actions)(name)

    def deploy(self, name: str) -> None:
        Model.deploy(self.workspace, name, [], self.new_script(name), overwrite=True).wait_for_deployment()

    def update(self, name: str) -> None:
        service = LocalWebservice(self.workspace, name)
        service.update(inference_config=self.new_script(name))
        service.wait_for_deployment()

    def reload(self, name: str) -> None:
        self.new_script(name)
        LocalWebservice(self.workspace, name).reload(wait=True)

    def delete(self, name: str) -> None:
        LocalWebservice(self.workspace, name).delete()

    def new_script(self, name: str) -> InferenceConfig:
        self.newest += 1
        path = self.folder / f"{name}.py"
        path.write_text(SCRIPT.format(version=self.newest))
        return InferenceConfig(entry_script=str(path))

    # --- what goes wrong -----------------------------------------------------------------------------

    def kill_something(self) -> None:
        """SIGKILL to the control server, or to the supervisor or a worker of some replica."""
        victims = [p for p in processes_in(self.home.root) if is_control_server(p) or is_replica(p)]
        if victims:
            victim = self.random.choice(victims)
            with_ended(victim)

    @contextmanager
    def killing(self) -> Iterator[None]:
        """Kills at a random moment of what is done meanwhile."""
        timer = threading.Timer(self.random.uniform(0.0, 0.8), self.kill_something)
        timer.start()
        try:
            yield
        finally:
            timer.join()

    # --- what callers see ----------------------------------------------------------------------------

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Requests to every published port, one after the other, all the time."""
        ended = threading.Event()
        caller = threading.Thread(target=self._call_until, args=(ended,))
        caller.start()
        try:
            yield
        finally:
            ended.set()
            caller.join()

    def _call_until(self, ended: threading.Event) -> None:
        with httpx.Client(timeout=5, trust_env=False) as http:
            while not ended.wait(0.005):
                for port in list(self.ports):
                    self.call(http, port)

    def call(self, http: httpx.Client, port: int) -> None:
        """Whatever is answered with 200 must be right."""
        number = self.answered
        try:
            answer = http.post(f"http://127.0.0.1:{port}/score", json={"n": number})
        except httpx.HTTPError:
            return
        if answer.status_code == httpx.codes.OK:
            self.check(answer.json(), number)

    def check(self, answer: dict[str, int], number: int) -> None:
        self.answered += 1
        if answer["echo"] != number or not 0 < answer["version"] <= self.newest:
            self.wrong.append(json.dumps(answer))

    def look(self) -> None:
        """Takes note of the ports that are published now."""
        services = self.workspace.webservices.values()
        self.ports = {int(s.port) for s in services if isinstance(s, LocalWebservice) and s.port}


def is_control_server(process: psutil.Process) -> bool:
    return "estiva.control" in command(process)


def is_replica(process: psutil.Process) -> bool:
    return "estiva_server" in command(process)


def command(process: psutil.Process) -> str:
    return " ".join(process.info["cmdline"] or ())


def with_ended(process: psutil.Process) -> None:
    try:
        os.kill(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def settled(chaos: Chaos) -> bool:
    """Every service serves its newest generation, or has none; replicas are those of the serving one."""
    found = connect().request("GET", f"/workspaces/{chaos.workspace.name}/services")
    return all(is_settled(view) for view in found)


def is_settled(view: dict[str, object]) -> bool:
    service, desired, replicas = view["service"], view["desired"], view["replicas"]
    assert isinstance(service, dict)
    assert isinstance(desired, dict)
    assert isinstance(replicas, list)
    if service["state"] == "Failed":
        return not replicas
    phases = [(replica["generation"], replica["phase"]) for replica in replicas]
    return (
        service["state"] == "Healthy"
        and desired["state"] != "pending"
        and phases == [(service["serving"], "ready")]
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize("rounds", [5, pytest.param(30, marks=pytest.mark.slow)])
def test_kills_at_random_moments_lose_nothing(
    home: Home,
    workspace: Workspace,
    tmp_path: Path,
    rounds: int,
    record_property: Callable[[str, object], None],
) -> None:
    seed = int(os.environ.get("ESTIVA_CHAOS_SEED", "0")) or random.randrange(1, 1 << 30)
    print(f"ESTIVA_CHAOS_SEED={seed}")
    chaos = Chaos(home, workspace, tmp_path, seed)
    with chaos.calling():
        for _ in range(rounds):
            with chaos.killing():
                try:
                    chaos.act()
                except (WebserviceException, ControlServerException) as error:
                    print(f"told: {error.code}")
            chaos.look()
    wait_until(lambda: settled(chaos), SETTLE_SECONDS, "what is wanted and what runs agree")
    for name in NAMES:
        chaos.deploy(name)
    chaos.look()
    with chaos.calling():
        wait_until(lambda: chaos.answered > 100, SETTLE_SECONDS, "the services answer")
    print(f"{chaos.answered} answers")
    assert chaos.wrong == []
    kill_a_replica_and_wait(chaos)
    for name in NAMES:
        chaos.delete(name)
    connect().stop()
    # No replica, no gateway, no control server, nothing that a score script or a build left; and no port.
    wait_until(lambda: processes_in(home.root) == [], 5, "no process is left")
    assert all(ports.holder("127.0.0.1", port) is None for port in chaos.ports)


def kill_a_replica_and_wait(chaos: Chaos) -> None:
    """A replica that was killed is replaced, and the service answers again."""
    service = LocalWebservice(chaos.workspace, NAMES[0])
    victims = [process for process in processes_in(chaos.home.root) if is_replica(process)]
    for process in victims:
        with_ended(process)
    psutil.wait_procs(victims, timeout=10)  # until then what they said of themselves still holds
    wait_until(lambda: settled(chaos), SETTLE_SECONDS, "killed replicas are replaced")
    assert service.run('{"n": 1}')["echo"] == 1
