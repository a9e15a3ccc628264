"""The control server's own life, as callers see it: started once, killed, replaced by another release."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from estiva import LocalWebservice, Model, Webservice, Workspace, __version__
from estiva.errors import ControlServerException
from estiva.home import Home
from estiva.messages import ServerStatus
from estiva.sdk.connection import connect
from tests.conftest import processes_in
from tests.e2e.conftest import DOUBLING, Project, body

SECONDS = 60

ANOTHER_RELEASE = """
import estiva
estiva.__version__ = "0.0.1"
import sys
from estiva.control.__main__ import main
sys.exit(main())
"""

REGISTER = """
import sys
from estiva import Model, Workspace
workspace = Workspace.get("tests")
print("ready", flush=True)
sys.stdin.readline()
print(Model.register(workspace, sys.argv[1], "contested").version)
"""


def running() -> ServerStatus:
    found = connect().status()
    assert found is not None
    return found


def gated(gate: Path) -> str:
    """A script whose init() goes on when the file is there."""
    return f"import pathlib, time\n{DOUBLING}".replace(
        "def init():\n",
        f"def init():\n    while not pathlib.Path({str(gate)!r}).exists():\n        time.sleep(0.01)\n",
    )


def test_a_control_server_that_hangs_while_a_client_waits(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("estiva.sdk.webservice._SILENCE_SECONDS", 1.5)
    monkeypatch.setattr("estiva.sdk.webservice._RECONNECTIONS", 1)
    gate = tmp_path / "gate"
    project.write(gated(gate))
    service = project.deploy(wait=False)
    process = psutil.Process(running().pid)
    process.suspend()
    try:
        with pytest.raises(ControlServerException, match="The control server does not answer"):
            service.wait_for_deployment()
    finally:
        process.resume()
    gate.touch()
    service.wait_for_deployment()
    assert service.run(body(1)) == [2]


def test_a_control_server_that_is_killed_while_a_client_waits(project: Project, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    project.write(gated(gate))
    service = project.deploy(wait=False)
    failures: list[BaseException] = []

    def wait() -> None:
        try:
            service.wait_for_deployment()
        except BaseException as error:  # noqa: BLE001  told by the assertion below
            failures.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    for _ in range(2):
        until_init_runs(service)
        killed = psutil.Process(running().pid)
        killed.kill()
        killed.wait(timeout=SECONDS)
    gate.touch()
    waiter.join(timeout=SECONDS)
    assert not waiter.is_alive()
    assert failures == []
    assert service.state == LocalWebservice.STATE_RUNNING
    assert service.run(body(1)) == [2]
    assert running().pid != killed.pid


def until_init_runs(service: Webservice) -> None:
    """Another object asks, so that the one that is awaited is left alone."""
    deadline = time.monotonic() + SECONDS
    while True:
        steps = LocalWebservice(service.workspace, service.name).steps
        if steps and steps[-1].name.value == "init":
            return
        assert time.monotonic() < deadline, steps
        time.sleep(0.02)


def test_another_release_is_replaced_and_services_never_stop(project: Project, home: Home) -> None:
    service = project.deploy()
    replicas = replica_pids(home)
    connect().stop()
    other = subprocess.Popen([sys.executable, "-c", ANOTHER_RELEASE, "--home", str(home.root)])
    connect()._await(other, home.control_log)
    assert running().version == "0.0.1"
    before = running().pid
    connect()._checked = False  # as in a process that has not talked to it yet
    assert list(Workspace.get("tests").webservices) == ["doubling"]
    assert other.wait(timeout=SECONDS) == 0
    assert running().version == __version__
    assert running().pid != before
    assert replica_pids(home) == replicas
    assert service.run(body(2)) == [4]


def replica_pids(home: Home) -> set[int]:
    return {
        process.pid
        for process in processes_in(home.root)
        if "estiva_server" in " ".join(process.info["cmdline"] or ())
    }


def test_callers_that_start_at_once_get_one_control_server(workspace: Workspace) -> None:
    connect().stop()
    command = [str(Path(sys.executable).with_name("estiva")), "up", "--output", "json"]
    callers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [json.loads(caller.communicate(timeout=SECONDS)[0]) for caller in callers]
    assert [caller.returncode for caller in callers] == [0, 0]
    assert {status["pid"] for status in told} == {running().pid}


def test_processes_that_register_one_name_at_once_get_different_versions(
    workspace: Workspace, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", REGISTER, str(tmp_path / "model.txt")]
    (tmp_path / "model.txt").write_text("one and the same")
    pipe = subprocess.PIPE
    callers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for caller in callers:
        assert caller.stdout is not None
        assert caller.stdout.readline() == "ready\n"
    for caller in callers:
        assert caller.stdin is not None
        caller.stdin.write("go\n")
        caller.stdin.flush()
    told = [caller.communicate(timeout=SECONDS)[0].splitlines()[-1] for caller in callers]
    assert sorted(told) == ["1", "2", "3"]
    assert sorted(model.version for model in Model.list(workspace, name="contested")) == [1, 2, 3]
