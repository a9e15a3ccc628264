"""From what the engine and the files say to a replica."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from estiva.records import Debugger, ReplicaPhase, ServiceKey, ServiceSettings
from estiva.targets import _container
from estiva.targets._container import Container, History, Run
from estiva_server import contract
from tests.targets.site import Site

KEY = ServiceKey(workspace="wayne", service="diabetes")
READY = contract.Status(pid=1, started=0.0, phase="ready", capacity=2)


def container(state: str = "running", name: str = "estiva-diabetes", **facts: Any) -> Container:
    return Container(
        {
            "Id": "c0ffee",
            "Name": f"/{name}",
            "Created": "2026-11-25T15:00:00.5Z",
            "Config": {"Labels": {"estiva.generation": "3", "estiva.replica": "1"}},
            "HostConfig": {"Memory": 128 << 20, "PortBindings": {"5001/tcp": [{"HostPort": "4711"}]}},
            "State": {"Status": state, "ExitCode": 0, "Error": "", "OOMKilled": False, **facts},
        }
    )


@pytest.mark.parametrize(
    ("state", "status", "phase"),
    [
        ("running", None, ReplicaPhase.STARTING),
        ("running", READY, ReplicaPhase.READY),
        ("running", contract.Status(pid=1, started=0.0, phase="exited"), ReplicaPhase.STARTING),
        ("running", contract.Status(pid=1, started=0.0, phase="draining"), ReplicaPhase.DRAINING),
        ("paused", READY, ReplicaPhase.EXITED),
        ("exited", READY, ReplicaPhase.EXITED),
        ("dead", READY, ReplicaPhase.EXITED),
    ],
)
def test_the_phase_is_the_engines_word_then_the_supervisors(
    state: str, status: contract.Status | None, phase: ReplicaPhase
) -> None:
    found = _container.replica_of(container(state), Run(status), "10.0.0.7")
    assert found is not None
    assert (found.generation, found.index, found.phase) == (3, 1, phase)
    assert found.address == "10.0.0.7:4711"


@pytest.mark.parametrize(
    ("state", "name"), [("created", "new"), ("removing", "old"), ("exited", "old.stopped")]
)
def test_what_was_never_started_or_stopped_on_purpose_is_no_replica(state: str, name: str) -> None:
    assert _container.replica_of(container(state, name), Run(READY), "127.0.0.1") is None


def test_what_is_being_stopped_drains() -> None:
    found = _container.replica_of(container("running", "old.stopped"), Run(READY), "127.0.0.1")
    assert found is not None
    assert found.phase is ReplicaPhase.DRAINING


@pytest.mark.parametrize(
    ("facts", "run", "reason"),
    [
        ({"ExitCode": 137}, Run(READY), "The container estiva-diabetes was killed (SIGKILL): by docker kill"),
        ({"ExitCode": 0}, Run(READY), "The container estiva-diabetes was stopped by hand (docker stop)"),
        ({"ExitCode": 137}, Run(READY, out_of_memory=True), "more memory than its limit, 128 MB"),
        ({"ExitCode": 9}, Run(READY), "The container estiva-diabetes ended with exit status 9."),
        (
            {"ExitCode": 3},
            Run(contract.Status(pid=1, started=0.0, phase="exited", exit_code=3, reason="init() raised.")),
            "init() raised.",
        ),
    ],
)
def test_an_end_is_explained(facts: dict[str, Any], run: Run, reason: str) -> None:
    found = _container.replica_of(container("exited", **facts), run, "127.0.0.1")
    assert found is not None
    assert reason in found.reason
    assert found.exit_code == facts["ExitCode"]


def test_one_that_was_started_again_keeps_the_first_cause_and_its_capacity() -> None:
    starting = contract.Status(pid=0, started=0.0, phase="starting")
    run = Run(starting, History(starts=3, cause="It was killed.", capacity=4))
    found = _container.replica_of(container(), run, "127.0.0.1")
    assert found is not None
    assert (found.restarts, found.reason, found.capacity) == (2, "It was killed.", 4)
    assert run.was_ready


def test_a_name_tells_people_whose_it_is_and_is_nobody_elses() -> None:
    name = _container.name_of("home", KEY, 3, 1)
    assert name.startswith("estiva-diabetes-g3-1-")
    others = [
        _container.name_of("other", KEY, 3, 1),
        _container.name_of("home", KEY.model_copy(update={"workspace": "x"}), 3, 1),
    ]
    assert len({name, *others}) == 3
    endpoint = KEY.model_copy(update={"version": "v2"})
    assert _container.key_of({"estiva.service": str(endpoint)}) == endpoint


def test_secrets_are_no_variables_and_the_contract_wins(tmp_path: Path) -> None:
    secrets = {"TOKEN": SecretStr("s3cret"), contract.APP_ROOT_VARIABLE: SecretStr("/elsewhere")}
    launch = Site(tmp_path, "docker").launch(variables={"A": "1"}, secrets=secrets)
    variables = _container.variables(launch)
    assert variables["A"] == "1"
    assert variables[contract.APP_ROOT_VARIABLE] == contract.APP_ROOT
    assert variables[contract.SECRETS_FILE_VARIABLE] == _container.SECRETS_FILE
    assert "s3cret" not in str(variables)
    assert json.loads(_container.secrets_of(launch)) == {"TOKEN": "s3cret"}


def test_only_what_was_asked_for_is_limited(tmp_path: Path) -> None:
    site = Site(tmp_path, "docker")
    free = _container.host_options(site.launch(), "10.0.0.7", 4711)
    assert free["port_bindings"] == {5001: ("10.0.0.7", 4711)}
    assert not {"nano_cpus", "mem_limit", "device_requests"} & free.keys()
    settings = ServiceSettings(
        cpu_limit=0.5, memory_limit=1 << 30, gpus=2, debugger=Debugger(port=5678, wait=False)
    )
    limited = _container.host_options(site.launch(settings=settings), "10.0.0.7", 4711)
    assert limited["port_bindings"][5678] == ("127.0.0.1", 5678)
    assert (limited["nano_cpus"], limited["mem_limit"], limited["memswap_limit"]) == (5e8, 1 << 30, 1 << 30)
    assert limited["device_requests"] == [{"Count": 2, "Capabilities": [["gpu"]]}]


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("2026-11-25T15:00:00.123456789Z", 0.123456789),
        ("2026-11-25T15:00:00Z", 0.0),
    ],
)
def test_times_of_the_engine(text: str, fraction: float) -> None:
    assert _container.parse_time(text) == pytest.approx(1795618800 + fraction)
