"""A packaged image in the hands of somebody who looks for what is wrong, as docs/debugging.md tells it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from estiva import Environment, InferenceConfig, Model, Workspace, engine
from tests.dap import DebugClient

BASE = os.environ.get("ESTIVA_TEST_BASE_IMAGE", "")
SECONDS = 60.0
APP = "/var/azureml-app"
# The debugger's first line is as it stands in a great many scripts. New in each run, so that it is built.
SCRIPT = f"""\
import ptvsd; ptvsd.enable_attach(address=('0.0.0.0', 5678), redirect_output=True)
# {uuid.uuid4()}
import json
from azureml.core.model import Model

def init():
    global factor
    factor = int(open(Model.get_model_path("factor")).read())

def run(data):
    numbers = json.loads(data)
    numbers[0] *= factor
    return numbers
"""
LOOK = """\
import logging
logging.basicConfig(level=logging.DEBUG)
from azureml.core.model import Model
print(Model.get_model_path(model_name="factor"))
"""

pytestmark = [
    pytest.mark.xdist_group("engine"),
    pytest.mark.skipif(not BASE, reason="no container engine with a base image: scripts/_engine up"),
]


def docker(*arguments: str) -> str:
    ended = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's, and the current one."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("ESTIVA_BASE_IMAGE", BASE)
        yield folder


@pytest.fixture(scope="module")
def image(folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Without its tag, which is 1."""
    workspace: Workspace = request.getfixturevalue("shared_workspace")
    (folder / "score.py").write_text(SCRIPT)
    (folder / "factor.txt").write_text("2")
    model = Model.register(workspace, "factor.txt", "factor")
    environment = Environment("debugged")
    environment.python.conda_dependencies.set_python_version("3.11")
    name = f"debug-{uuid.uuid4().hex[:8]}"
    package = Model.package(
        workspace, [model], InferenceConfig("score.py", environment=environment), image_name=name
    )
    package.wait_for_creation()
    assert package.location == f"{name}:1"
    yield name
    for tag in ("1", "2"):
        subprocess.run(
            ["docker", "image", "rm", "--force", f"{name}:{tag}"], capture_output=True, check=False
        )


class Containers:
    """`docker run --rm --name NAME -p ...:5001 -p ...:5678 IMAGE`, with free ports."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.url = ""
        self.debugger = 0

    def run(self, image: str, answer: int = 2) -> None:
        """Until it answers so to 1."""
        port, self.debugger = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        ports = ["-p", f"127.0.0.1:{port}:5001", "-p", f"127.0.0.1:{self.debugger}:5678"]
        docker("run", "--rm", "--detach", "--name", self.name, *ports, image)
        self.wait_for(answer)

    def wait_for(self, answer: int) -> None:
        deadline = time.monotonic() + SECONDS
        while self.score() != [answer]:
            assert time.monotonic() < deadline, f"not {answer}: {docker('logs', self.name)}"
            time.sleep(0.1)

    def score(self) -> object:
        try:
            return httpx.post(f"{self.url}/score", content="[1]", timeout=SECONDS).json()
        except httpx.TransportError:
            return None

    def shell(self, command: str) -> str:
        return docker("exec", self.name, "/bin/bash", "-c", f"{command} 2>&1")

    def stop(self) -> int:
        """Its exit status."""
        waiting = subprocess.Popen(["docker", "wait", self.name], stdout=subprocess.PIPE, text=True)
        docker("stop", self.name)
        code = int(waiting.communicate(timeout=SECONDS)[0])
        deadline = time.monotonic() + SECONDS
        while docker("ps", "--all", "--quiet", "--filter", f"name={self.name}"):
            assert time.monotonic() < deadline, "--rm has not removed it"
            time.sleep(0.1)
        return code


@pytest.fixture
def container(image: str) -> Iterator[Containers]:
    containers = Containers(image)
    containers.run(f"{image}:1")
    yield containers
    subprocess.run(["docker", "rm", "--force", containers.name], capture_output=True, check=False)
    assert not engine.connect().containers.list(all=True, filters={"name": containers.name})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_looking_editing_and_keeping_the_edit(container: Containers, image: str) -> None:
    assert container.shell("pwd; whoami").split() == [APP, "estiva"]
    assert set(container.shell("stat -c '%U %n' * azureml-models/*/*").splitlines()) == {
        "estiva score.py",
        "estiva azureml-models",
        "estiva azureml-models/factor/1",
    }
    said = container.shell(f"python -c '{LOOK}'").splitlines()
    assert f"DEBUG:azureml.core.model:Looking for model factor in {APP}/azureml-models/factor" in said
    assert said[-1] == f"{APP}/azureml-models/factor/1/factor.txt"

    container.shell("sed -i 's/= factor$/= 3 * factor/' score.py")
    docker("kill", "--signal", "HUP", container.name)
    container.wait_for(6)

    docker("commit", container.name, f"{image}:2")
    assert container.stop() == 0
    container.run(f"{image}:2", answer=6)


def test_a_debugger_attaches_to_a_script_that_was_written_for_ptvsd(
    container: Containers, folder: Path
) -> None:
    script, line = folder / "score.py", 1 + SCRIPT.splitlines().index("    return numbers")
    mappings = [{"localRoot": str(folder), "remoteRoot": APP}]
    with ThreadPoolExecutor() as pool, DebugClient(container.debugger, {script: line}, mappings) as debugger:
        asked = pool.submit(container.score)
        frame = debugger.stopped()
        assert (frame["name"], frame["line"], frame["source"]["path"]) == ("run", line, str(script))
        assert debugger.variables()["numbers"] == "[2]"
        assert debugger.evaluate("factor + 1") == "3"
        debugger.go_on()
        assert asked.result(SECONDS) == [2]
