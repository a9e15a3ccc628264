"""Images that a real engine builds, and runs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from docker.models.containers import Container

from estiva.errors import ImageException
from estiva.images import builder, dockerfile, planning
from estiva.images.context import write_folder
from estiva.images.records import BaseImage, ContextFile, Interpreter, Packages, Plan
from tests.images.conftest import code, content, remove
from tests.images.cut_off import engine_that_breaks_off

pytestmark = pytest.mark.xdist_group("engine")

REGISTRY = os.environ.get("ESTIVA_TEST_REGISTRY", "")
LOGIN = builder.Credentials(*os.environ.get("ESTIVA_TEST_REGISTRY_LOGIN", ":").split(":"))
LOOPBACK: Any = {"5001/tcp": ("127.0.0.1", None)}  # a free port
MODEL = ContextFile(path="azureml-models/iris/1/model.pkl", text="model")
SECRET = "s3cr3t-of-the-index"
SETTINGS = {"UV_PYTHON_INSTALL_MIRROR": f"https://me:{SECRET}@packages.example.org/"}


def plan(base: BaseImage, **changes: object) -> Plan:
    return planning.plan_image(base, content(**changes))


@contextmanager
def running(client: docker.DockerClient, image: str) -> Iterator[tuple[Container, str]]:
    """A container of the image, and its URL."""
    container = client.containers.run(image, detach=True, ports=LOOPBACK)
    try:
        container.reload()
        port = container.attrs["NetworkSettings"]["Ports"]["5001/tcp"][0]["HostPort"]
        yield container, f"http://127.0.0.1:{port}"
    finally:
        container.remove(force=True, v=True)


def scored(url: str, data: str) -> object:
    deadline = time.monotonic() + 60
    while not answers(url):
        assert time.monotonic() < deadline, "the container does not answer"
        time.sleep(0.05)
    return httpx.post(f"{url}/score", content=data, timeout=10).json()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).is_success
    except httpx.TransportError:
        return False


def output(container: Container, *command: str) -> str:
    printed = container.exec_run(list(command)).output
    assert isinstance(printed, bytes)
    return printed.decode().strip()


@pytest.fixture(scope="module")
def image(client: docker.DockerClient, base: BaseImage) -> Iterator[str]:
    """Built once, with settings that are secret; the layers below stay for other processes."""
    labels = planning.labels({"estiva.models": ["iris:1"], "test": os.getpid()})
    built = builder.build(plan(base, models=(MODEL,), labels=labels), print, settings=SETTINGS)
    yield built
    remove(client, [built])


def test_a_container_scores_as_a_user_who_owns_the_app_root(client: docker.DockerClient, image: str) -> None:
    with running(client, image) as (container, url):
        assert scored(url, "[1, 2]") == [2, 4]
        assert output(container, "id", "-u") == "10001"
        owners = output(container, "find", "/var/azureml-app", "-printf", "%u\n")
        assert set(owners.split()) == {"estiva"}
        find = "from azureml.core.model import Model; print(Model.get_model_path('iris'))"
        assert output(container, "python", "-c", find).endswith("azureml-models/iris/1/model.pkl")
        container.stop(timeout=30)
        assert container.wait()["StatusCode"] == 0


def test_an_image_tells_its_health_and_what_it_is_made_of(client: docker.DockerClient, image: str) -> None:
    config = client.images.get(image).attrs["Config"]

    assert json.loads(config["Labels"]["estiva.models"]) == ["iris:1"]
    assert config["User"] == "10001:10001"
    with running(client, image) as (container, url):
        scored(url, "[1]")
        assert container.exec_run(config["Healthcheck"]["Test"][1:]).exit_code == 0


def test_code_alone_builds_one_layer_and_nothing_new_builds_none(
    base: BaseImage, image: str, cleaned: list[str]
) -> None:
    changed = plan(base, models=(MODEL,), code=(code(f"# {os.getpid()}"),))
    lines: list[str] = []
    again: list[str] = []

    cleaned.append(builder.build(changed, lines.append))
    builder.build(changed, again.append)

    assert [line.rpartition(" ")[0] for line in lines if line.startswith("Build")] == [
        "Building the code layer"
    ]
    assert not [line for line in again if line.startswith(("Building", "Step"))]


def test_what_builds_an_image_does_not_stay_in_it(client: docker.DockerClient, image: str) -> None:
    saved = b"".join(client.images.get(image).save())

    assert SECRET.encode() not in saved
    assert not [name for name in names_in(saved) if "estiva/ca-cert" in name or name.endswith("uv-program")]
    left = client.api.images(all=True, filters={"label": planning.BUILD_LABEL})
    assert not [each for each in left if SECRET in str(client.images.get(each["Id"]).history())]


def names_in(saved: bytes) -> list[str]:
    """The files in all layers of a saved image."""
    names: list[str] = []
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        for member in archive.getmembers():
            if member.name.endswith("layer.tar"):
                layer = archive.extractfile(member)
                assert layer is not None
                with tarfile.open(fileobj=layer) as files:
                    names += files.getnames()
    return names


@pytest.mark.slow
def test_the_whole_dockerfile_builds_with_plain_docker(
    client: docker.DockerClient, base: BaseImage, tmp_path: Path, cleaned: list[str]
) -> None:
    planned = plan(base, models=(MODEL,))
    write_folder(tmp_path, dockerfile.of_plan(planned), planned.files, planned.directories)
    cleaned.append("estiva-test:plain")

    command = ["docker", "build", "--quiet", "--tag", "estiva-test:plain", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)

    assert done.returncode == 0, done.stdout + done.stderr
    with running(client, "estiva-test:plain") as (_, url):
        assert scored(url, "[3]") == [6]


def test_a_base_image_that_is_nowhere(client: docker.DockerClient) -> None:
    with pytest.raises(ImageException, match="nowhere:1 cannot be pulled") as caught:
        builder.base_id("127.0.0.1:1/nowhere:1", print)

    assert caught.value.code in ("ImageNotFound", "EngineFailed")


def test_whether_an_image_is_to_be_had(base: BaseImage) -> None:
    assert builder.obtainable(base.reference or "")
    assert not builder.obtainable("127.0.0.1:9/nobody/nothing:1")


def test_a_base_image_for_another_processor(client: docker.DockerClient, cleaned: list[str]) -> None:
    client.api.import_image_from_data(tar_of_nothing(), repository="estiva-test", tag="other")
    cleaned.append("estiva-test:other")

    with pytest.raises(
        ImageException, match=r"estiva-test:other is made for linux/.*, but linux/s390x is wanted"
    ):
        builder.base_id("estiva-test:other", print, platform="linux/s390x")


def tar_of_nothing() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("nothing"))
    return written.getvalue()


def test_a_failed_step_is_named_with_what_it_printed(base: BaseImage) -> None:
    broken = BaseImage(dockerfile=f"FROM {base.reference}\nRUN echo why && exit 3\n")

    with pytest.raises(ImageException, match=r"base layer.*`RUN echo why && exit 3` failed: why") as caught:
        builder.build(plan(broken), print)

    assert caught.value.code == "BuildFailed"


def test_an_engine_that_ends_in_the_middle_of_a_build(
    base: BaseImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not os.environ.get("DOCKER_HOST", "").startswith("unix://"):
        pytest.skip("DOCKER_HOST names no socket to put another before")
    waiting = BaseImage(dockerfile=f"FROM {base.reference}\nRUN echo begun {tmp_path} && sleep 3\n")
    with engine_that_breaks_off(tmp_path) as broken:
        monkeypatch.setenv("DOCKER_HOST", broken.url)

        def on_line(line: str) -> None:
            if line.startswith("begun"):
                broken.break_off()

        with pytest.raises(ImageException, match=r"base layer.*the container engine ended") as caught:
            builder.build(plan(waiting), on_line)

    assert caught.value.code == "EngineLost"


def test_a_build_that_is_given_up_leaves_nothing(client: docker.DockerClient, base: BaseImage) -> None:
    begun = threading.Event()
    packages = Packages(interpreter=Interpreter(version="3.11"), requirements="# given up\n")
    planned = plan(base, packages=packages)

    def on_line(line: str) -> None:
        if "uv venv" in line:
            begun.set()

    with pytest.raises(ImageException, match="cancelled") as caught:
        builder.build(planned, on_line, begun.is_set)

    assert caught.value.code == "Cancelled"
    assert not builder.exists(planned.layers[0].reference)
    mark = {"label": f"{planning.BUILD_LABEL}={planned.layers[0].digest}"}
    assert client.api.containers(all=True, filters=mark) == []


@pytest.mark.skipif(not REGISTRY, reason="no registry: scripts/_engine up")
def test_an_image_is_pushed_and_pulled_by_its_digest(client: docker.DockerClient, cleaned: list[str]) -> None:
    reference = f"{REGISTRY}/estiva-test:pushed"
    client.api.import_image_from_data(tar_of_nothing(), repository=f"{REGISTRY}/estiva-test", tag="pushed")
    cleaned.append(reference)

    location = builder.push(reference, print, LOGIN)
    lines: list[str] = []
    builder.pull(location, lines.append, LOGIN)

    assert location.startswith(f"{REGISTRY}/estiva-test@sha256:")
    assert any(line.startswith("Digest: sha256:") for line in lines)


@pytest.mark.skipif(not REGISTRY, reason="no registry: scripts/_engine up")
def test_a_registry_that_refuses(client: docker.DockerClient, cleaned: list[str]) -> None:
    client.api.import_image_from_data(tar_of_nothing(), repository=f"{REGISTRY}/estiva-test", tag="refused")
    cleaned.append(f"{REGISTRY}/estiva-test:refused")

    with pytest.raises(ImageException, match="docker login") as caught:
        builder.push(f"{REGISTRY}/estiva-test:refused", print, builder.Credentials("estiva", "wrong"))

    assert caught.value.code == "RegistryRefused"


@pytest.mark.parametrize(
    "line", ["Step 3/7 : RUN make it", "STEP 3/7: RUN make it", "[2/2] STEP 3/7: RUN make it"]
)
def test_a_step_is_known_in_the_words_of_docker_and_of_podman(line: str) -> None:
    step = builder.STEP.match(line)
    assert step is not None
    assert step["instruction"] == "RUN make it"
