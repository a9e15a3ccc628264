"""Services in containers, as their users see them, with a real engine."""

from __future__ import annotations

import json
import os
import signal
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import httpx
import psutil
import pytest
from docker.models.containers import Container
from typer.testing import CliRunner

from estiva import (
    AciWebservice,
    AksWebservice,
    Environment,
    InferenceConfig,
    LocalWebservice,
    Model,
    Webservice,
    Workspace,
    engine,
)
from estiva.cli import app
from estiva.errors import RunEnvironmentException, WebserviceException
from estiva.home import Home
from estiva.sdk.connection import connect
from tests.dap import DebugClient
from tests.e2e.conftest import DOUBLING, TRIPLING, answers, body, wait_until

BASE = os.environ.get("ESTIVA_TEST_BASE_IMAGE", "")
HUNGRY = """
def init():
    bytearray(512 * 1024 * 1024)

def run(data):
    return data
"""
SECRET = "the-secret-of-this-test"

pytestmark = [
    pytest.mark.skipif(not BASE, reason="no container engine with a base image: scripts/_engine up"),
    pytest.mark.xdist_group("containers"),
]


@pytest.fixture(scope="module", autouse=True)
def base_image() -> Iterator[None]:
    """Before the control server starts, which takes its variables from here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ESTIVA_BASE_IMAGE", BASE)
        yield


@pytest.fixture
def client() -> docker.DockerClient:
    return engine.connect()


class Project:
    """A script, a model and an environment without packages."""

    def __init__(self, folder: Path, workspace: Workspace) -> None:
        self.workspace = workspace
        self.script = folder / "score.py"
        self.model = folder / "model.txt"
        self.script.write_text(DOUBLING)
        self.model.write_text("model")
        environment = Environment("plain")
        environment.python.conda_dependencies.set_python_version("3.11")
        self.inference = InferenceConfig(entry_script=str(self.script), environment=environment)

    def deploy(self, name: str, secrets: dict[str, str] | None = None) -> Webservice:
        configured = LocalWebservice.deploy_configuration(runtime="docker", secrets=secrets)
        service = Model.deploy(self.workspace, name, [str(self.model)], self.inference, configured)
        service.wait_for_deployment()
        return service


@pytest.fixture
def project(tmp_path: Path, shared_workspace: Workspace) -> Project:
    return Project(tmp_path, shared_workspace)


def containers(client: docker.DockerClient, service: str) -> list[Container]:
    """Of this control server: other tests have services of that name, too."""
    owner = Home.current().identity.read_text()
    labels = [f"estiva.owner={owner}", f"estiva.service=tests/{service}"]
    return client.containers.list(all=True, filters={"label": labels})


def test_a_service_goes_through_its_life_in_containers(project: Project, client: docker.DockerClient) -> None:
    service = project.deploy("life", secrets={"TOKEN": SECRET})
    assert [step.name.value for step in service.steps] == [
        *("validate", "image", "start", "init", "health", "route")
    ]
    assert service.run(body(2)) == [4]
    assert "init of doubling" in service.get_logs()

    project.script.write_text(TRIPLING)
    service.reload(wait=True)
    assert service.run(body(2)) == [6]

    project.script.write_text(TRIPLING.replace("print(", "broken("))
    with pytest.raises(WebserviceException, match=r"broken.*\n(.*\n)*.*goes on serving"):
        service.reload(wait=True)
    assert service.run(body(2)) == [6]

    project.script.write_text(DOUBLING)
    service.update([str(project.model)], project.inference, wait=True)
    assert service.run(body(2)) == [4]

    service.scale(2, wait=True)
    assert [replica.index for replica in service.replicas] == [0, 1]
    service.delete()
    assert containers(client, "life") == []


def test_a_change_of_the_code_builds_nothing(project: Project, client: docker.DockerClient) -> None:
    service = project.deploy("code")
    (before,) = containers(client, "code")
    project.script.write_text(f"# {uuid.uuid4()}\n{TRIPLING}")
    service.reload(wait=True)
    assert {c.attrs["Image"] for c in containers(client, "code")} == {before.attrs["Image"]}


def test_no_secret_is_in_what_the_engine_shows_or_keeps(
    project: Project, client: docker.DockerClient
) -> None:
    project.deploy("secrets", secrets={"TOKEN": SECRET})
    (found,) = containers(client, "secrets")
    assert SECRET not in json.dumps(found.attrs)
    image = client.images.get(found.attrs["Image"])
    assert SECRET not in json.dumps([image.attrs, image.history()])
    assert SECRET.encode() not in b"".join(image.save())


@pytest.mark.parametrize("harm", ["kill", "remove"])
def test_a_container_that_is_harmed_by_hand_comes_back(
    project: Project, client: docker.DockerClient, harm: str
) -> None:
    service = project.deploy(harm)
    (container,) = containers(client, harm)
    container.remove(force=True) if harm == "remove" else container.kill()
    wait_until(lambda: answers(service) and _is_new(service, container), 60, "the service is back")
    service.update_deployment_state()
    if harm == "kill":
        assert "was killed (SIGKILL)" in str(service.trouble)


def _is_new(service: Webservice, before: Container) -> bool:
    """Whether what answers is not still the one that was harmed."""
    service.update_deployment_state()
    started = [c.attrs["State"]["StartedAt"] for c in containers(engine.connect(), service.name)]
    return bool(started) and before.attrs["State"]["StartedAt"] not in started


def test_state_and_logs_outlive_the_control_server(project: Project) -> None:
    service = project.deploy("survivor")
    status = connect().status()
    assert status is not None
    control = psutil.Process(status.pid)
    control.send_signal(signal.SIGKILL)
    control.wait(10)
    assert service.run(body(2)) == [4]
    again = Webservice(project.workspace, "survivor")
    assert (again.state, again.generation) == ("running", 1)
    assert "init of doubling" in again.get_logs()


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.slow)], ids=["short", "long"])
def test_rounds_of_deploying_and_deleting_leave_nothing(
    project: Project, client: docker.DockerClient, rounds: int
) -> None:
    def things() -> list[set[str]]:
        return [
            {str(network.id) for network in client.networks.list()},
            {str(volume.id) for volume in client.volumes.list()},
        ]

    before = things()
    for _ in range(rounds):
        project.script.write_text(f"# {uuid.uuid4()}\n{DOUBLING}")
        project.deploy("round").delete()
    owner = Home.current().identity.read_text()
    assert [
        c
        for c in client.containers.list(all=True)
        if c.labels.get("estiva.owner") == owner and c.labels["estiva.service"] == "tests/round"
    ] == []
    assert things() == before
    dangling = client.images.list(filters={"dangling": True})
    assert [image.id for image in dangling if any(name.startswith("estiva.") for name in image.labels)] == []


def test_the_command_deploys_into_a_container(project: Project) -> None:
    environment = project.script.with_name("env.yml")
    environment.write_text("dependencies:\n- python=3.11\n")
    done = CliRunner().invoke(
        app,
        [
            *("deploy", "command", "--runtime", "docker", "--entry", str(project.script)),
            *("--env", str(environment), "--workspace", "tests"),
        ],
    )
    assert done.exit_code == 0, done.output
    service = Webservice(project.workspace, "command")
    assert service.runtime == "docker"
    assert service.run(body(2)) == [4]


@pytest.mark.skipif("ESTIVA_TEST_REGISTRY" not in os.environ, reason="no registry: scripts/_engine up")
@pytest.mark.parametrize(("password", "code"), [("wrong", "RegistryRefused"), (None, "ImageNotFound")])
def test_a_base_image_that_is_not_to_be_had(project: Project, password: str | None, code: str) -> None:
    user, _, right = os.environ["ESTIVA_TEST_REGISTRY_LOGIN"].partition(":")
    environment = Environment("private")
    environment.python.conda_dependencies.set_python_version("3.11")
    project.inference.environment = environment
    docker_section = environment.docker
    docker_section.base_image = f"nothing-{code.lower()}:1"
    docker_section.base_image_registry.address = os.environ["ESTIVA_TEST_REGISTRY"]
    docker_section.base_image_registry.username = user
    docker_section.base_image_registry.password = password or right
    with pytest.raises(WebserviceException, match=f"nothing-{code.lower()}") as caught:
        project.deploy(code.lower())
    assert caught.value.code == code
    service = Webservice(project.workspace, code.lower())
    assert [step.name.value for step in service.steps if step.state == "failed"] == ["image"]
    service.delete()


def test_a_container_service_has_limits_and_keys(project: Project, client: docker.DockerClient) -> None:
    configuration = AciWebservice.deploy_configuration(cpu_cores=0.5, memory_gb=0.2, auth_enabled=True)
    models = [str(project.model)]
    service = Model.deploy(project.workspace, "limited", models, project.inference, configuration)
    service.wait_for_deployment()
    assert isinstance(service, AciWebservice)
    assert (service.runtime, service.state) == ("docker", "Healthy")
    assert service.run(body(2)) == [4]
    assert httpx.post(str(service.scoring_uri), content=body(2)).status_code == 401
    (found,) = containers(client, "limited")
    assert found.attrs["HostConfig"]["NanoCpus"] == 500_000_000
    assert found.attrs["HostConfig"]["Memory"] == 200_000_000
    requirements = service.container_resource_requirements
    assert (requirements.cpu, requirements.memory_in_gb) == (0.5, 0.2)

    project.script.write_text(HUNGRY)
    with pytest.raises(WebserviceException, match="more memory than its limit") as caught:
        service.update(models=models, inference_config=project.inference, wait=True)
    assert caught.value.code == "OutOfMemory"
    assert service.run(body(2)) == [4]


def test_a_kubernetes_service_in_containers(project: Project, client: docker.DockerClient) -> None:
    configuration = AksWebservice.deploy_configuration(num_replicas=2)
    models = [str(project.model)]
    service = Model.deploy(
        project.workspace, "kube", models, project.inference, configuration, deployment_target="docker"
    )
    service.wait_for_deployment()
    assert len(containers(client, "kube")) == 2
    assert service.run(body(2)) == [4]


def test_a_container_service_is_a_process_without_an_engine(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connect().stop()
    monkeypatch.setenv(engine.HOST_VARIABLE, f"unix://{tmp_path}/none.sock")
    project = Project(tmp_path, workspace)
    configuration = AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=1)
    service = Model.deploy(workspace, "process", [], project.inference, configuration)
    service.wait_for_deployment(show_output=True)
    assert service.runtime == "process"
    said = " ".join(capsys.readouterr().out.split())
    assert "as a process, as no container engine answered that has a base image" in said
    assert service.run(body(2)) == [4]


def test_without_an_engine_the_error_names_the_alternatives(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect().stop()
    monkeypatch.setenv(engine.HOST_VARIABLE, f"unix://{tmp_path}/none.sock")
    with pytest.raises(RunEnvironmentException, match="services run as processes") as caught:
        Project(tmp_path, workspace).deploy("away")
    assert caught.value.code == "NoEngine"
    assert workspace.webservices == {}


def test_a_debugger_attaches_to_a_container(project: Project, tmp_path: Path) -> None:
    service = project.deploy("debugged")
    line = 1 + DOUBLING.splitlines().index('    return [2 * number for number in json.loads(data)["data"]]')

    service.debug(launch_json=tmp_path / "launch.json")

    entry = json.loads((tmp_path / "launch.json").read_text())["configurations"][0]
    assert entry["pathMappings"] == [
        {"localRoot": str(project.script.parent), "remoteRoot": "/var/azureml-app"}
    ]
    with (
        ThreadPoolExecutor() as pool,
        DebugClient(entry["connect"]["port"], {project.script: line}, entry["pathMappings"]) as debugger,
    ):
        asked = pool.submit(service.run, body(21))
        assert debugger.stopped()["source"]["path"] == str(project.script)
        assert debugger.variables()["data"] == "'{\"data\": [21]}'"
        assert debugger.evaluate("len(data)") == "14"
        debugger.ask("setBreakpoints", source={"path": str(project.script)}, breakpoints=[])
        debugger.go_on()
        assert asked.result(60) == [42]
    service.stop_debugging()
    assert service.run(body(1)) == [2]
