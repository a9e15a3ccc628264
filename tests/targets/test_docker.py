"""Containers, and what people and systems do to them."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, suppress
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from pydantic import SecretStr

from estiva import engine
from estiva.control.readiness import client as http
from estiva.errors import TargetException
from estiva.records import Launch, Replica, ReplicaPhase, ServiceSettings
from tests.targets.site import Site

pytestmark = pytest.mark.xdist_group("docker")

WHO = """
import os

def init():
    pass

def run(data):
    return [os.getuid(), os.environ.get("TOKEN"), os.environ.get("COLOR"), os.getcwd()]
"""
HUNGRY = """
def init():
    pass

def run(data):
    return len(bytearray(512 * 1024 * 1024))
"""
SLOW = """
import time

def init():
    pass

def run(data):
    print("begun")
    time.sleep(1)
    return "done"
"""


def started(site: Site, launch: Launch | None = None) -> tuple[Launch, Replica]:
    launch = launch or site.launch()
    site.target().apply(launch)
    (replica,) = site.wait_for(ReplicaPhase.READY)
    return launch, replica


def container(client: docker.DockerClient, site: Site) -> Container:
    filters: dict[str, str | list[str] | bool] = {"label": f"estiva.owner={site.options['owner']}"}
    (found,) = client.containers.list(all=True, filters=filters)
    return found


def score(replica: Replica, text: str = "") -> object:
    with http(replica.address, timeout=10) as scoring:
        answer = scoring.post("/score", content=text)
        return answer.json() if answer.status_code == 200 else answer.status_code


def restored(site: Site, launch: Launch) -> Replica:
    """As the control loop does: applies until it is ready again."""

    def ready(seen: object) -> bool:
        replicas = site.target().observe(site.key).replicas
        return [replica.phase for replica in replicas] == [ReplicaPhase.READY]

    return site.wait(ready, apply=launch).replicas[0]


def test_the_script_runs_as_nobody_special_with_its_variables_and_secrets(
    docker_site: Site, client: docker.DockerClient
) -> None:
    launch = docker_site.launch(
        WHO, variables={"COLOR": "blue"}, secrets={"TOKEN": SecretStr("s3cret-of-the-test")}
    )
    _, replica = started(docker_site, launch)
    assert score(replica) == [10001, "s3cret-of-the-test", "blue", "/var/azureml-app"]
    found = container(client, docker_site)
    assert "s3cret-of-the-test" not in str(found.attrs)
    kept = b"".join(client.api.export(str(found.id)))
    assert b"weights" in kept
    assert b"s3cret-of-the-test" not in kept


def test_it_is_published_on_loopback_without_rights(docker_site: Site, client: docker.DockerClient) -> None:
    _, replica = started(docker_site)
    host = container(client, docker_site).attrs["HostConfig"]
    assert replica.address == f"127.0.0.1:{host['PortBindings']['5001/tcp'][0]['HostPort']}"
    assert host["PortBindings"]["5001/tcp"][0]["HostIp"] == "127.0.0.1"
    assert host["CapDrop"] == ["ALL"]
    assert host["NanoCpus"] == host["Memory"] == 0
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        ("kill", "was killed (SIGKILL)"),
        ("stop", "was stopped by hand (docker stop)"),
        ("pause", "was paused (docker pause)"),
    ],
)
def test_what_was_done_to_it_by_hand_is_noticed_explained_and_mended(
    docker_site: Site, client: docker.DockerClient, harm: str, why: str
) -> None:
    launch, before = started(docker_site)
    getattr(container(client, docker_site), harm)()

    (seen,) = docker_site.target().observe(docker_site.key).replicas
    assert seen.phase is ReplicaPhase.EXITED
    assert why in seen.reason

    after = restored(docker_site, launch)
    assert after.address == before.address
    assert score(after, "seven") == "seven"
    lines = "\n".join(docker_site.target().logs(docker_site.key))
    assert f"engine: {harm}" in lines
    assert lines.count("init ran") == (1 if harm == "pause" else 2)
    if harm != "pause":
        assert (after.restarts, why in after.reason) == (1, True)


def test_one_that_was_removed_by_hand_comes_anew(docker_site: Site, client: docker.DockerClient) -> None:
    launch, _ = started(docker_site)
    container(client, docker_site).remove(force=True)
    assert docker_site.target().observe(docker_site.key).replicas == ()
    assert restored(docker_site, launch).restarts == 0


def test_one_that_was_restarted_by_hand_gets_its_secrets_again(
    docker_site: Site, client: docker.DockerClient
) -> None:
    launch = docker_site.launch(WHO, secrets={"TOKEN": SecretStr("s3cret")})
    started(docker_site, launch)
    container(client, docker_site).restart()
    docker_site.wait_for(ReplicaPhase.EXITED)
    assert score(restored(docker_site, launch)) == [10001, "s3cret", None, "/var/azureml-app"]


def test_it_is_started_again_with_growing_pauses_and_the_first_cause_stays(
    docker_site: Site, client: docker.DockerClient
) -> None:
    launch, _ = started(docker_site)
    for restarts in (1, 2):
        container(client, docker_site).kill()
        assert restored(docker_site, launch).restarts == restarts
    container(client, docker_site).stop()
    target = docker_site.target()
    target.apply(launch)
    (seen,) = target.observe(docker_site.key).replicas
    assert seen.phase is ReplicaPhase.EXITED  # for two seconds since its last start
    assert "killed" in restored(docker_site, launch).reason


def test_a_limit_of_memory_is_enforced_and_named(docker_site: Site) -> None:
    limits = ServiceSettings(memory_limit=128 * 1024 * 1024, cpu_limit=1.5)
    script = HUNGRY.replace("    pass", "    run(None)")
    docker_site.target().apply(docker_site.launch(script, settings=limits))
    (dead,) = docker_site.wait_for(ReplicaPhase.EXITED)
    assert dead.out_of_memory
    assert "more memory than its limit, 128 MB" in dead.reason


def test_a_limit_of_processors_is_enforced(docker_site: Site, client: docker.DockerClient) -> None:
    started(docker_site, docker_site.launch(settings=ServiceSettings(cpu_limit=0.5)))
    assert container(client, docker_site).attrs["HostConfig"]["NanoCpus"] == 500_000_000


def test_an_engine_without_gpus_says_so(docker_site: Site, client: docker.DockerClient) -> None:
    if "nvidia" in str(client.info().get("Runtimes")):
        pytest.skip("the engine has GPUs")
    with pytest.raises(TargetException, match="NVIDIA Container Toolkit") as caught:
        docker_site.target().apply(docker_site.launch(settings=ServiceSettings(gpus=1)))
    assert caught.value.code == "NoGpu"
    assert docker_site.target().keys() == ()


def test_an_image_that_is_gone(docker_site: Site) -> None:
    launch = docker_site.launch().model_copy(update={"image": "estiva/environment:gone"})
    with pytest.raises(TargetException, match="estiva/environment:gone") as caught:
        docker_site.target().apply(launch)
    assert caught.value.code == "ImageNotFound"


def test_a_port_that_somebody_has(docker_site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(TargetException, match=address) as caught:
            docker_site.target().apply(docker_site.launch(address=address))
    assert caught.value.code == "PortInUse"
    assert docker_site.target().keys() == ()


def test_a_start_that_was_cut_short_is_begun_anew(docker_site: Site, client: docker.DockerClient) -> None:
    launch, _ = started(docker_site)
    found = container(client, docker_site)
    name, labels = found.name, found.labels
    found.remove(force=True)
    client.containers.create(docker_site.image, name=name, labels=labels)
    assert docker_site.target().observe(docker_site.key).replicas == ()
    assert score(restored(docker_site, launch), "seven") == "seven"


def test_one_that_drains_answers_what_it_has_begun(docker_site: Site) -> None:
    _, replica = started(docker_site, docker_site.launch(SLOW))
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(score(replica)))
    asking.start()
    docker_site.wait(lambda _: any("begun" in line for line in docker_site.target().logs(docker_site.key)))
    docker_site.target().stop(docker_site.key, 1)
    asking.join(10)
    assert answers == ["done"]
    assert docker_site.target().observe(docker_site.key).replicas == ()


def test_ports_are_those_of_the_machine_that_has_the_engine(
    docker_site: Site, client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Relay(engine.find().url.removeprefix("unix://"))) as relay:
        monkeypatch.setenv(engine.HOST_VARIABLE, f"tcp://localhost:{relay.port}")
        _, replica = started(docker_site)
        assert replica.address.startswith("127.0.0.1:")
        assert score(replica, "seven") == "seven"


def test_an_engine_that_goes_and_comes_back(
    docker_site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started(docker_site)
    target = docker_site.target()
    with monkeypatch.context() as away:
        away.setenv(engine.HOST_VARIABLE, f"unix://{tmp_path}/none.sock")
        with pytest.raises(TargetException, match="No container engine answers") as caught:
            target.observe(docker_site.key)
        assert caught.value.code == "NoEngine"
    (replica,) = target.observe(docker_site.key).replicas
    assert replica.phase is ReplicaPhase.READY


class Relay:
    """A TCP port in front of an engine's Unix socket, as a remote engine has one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._path)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()

    def close(self) -> None:
        self._server.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
