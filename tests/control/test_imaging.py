"""From a deployment request to an image that scores."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from estiva import engine
from estiva.control import imaging
from estiva.control.intake import Intake
from estiva.control.reconcile import Reconciler
from estiva.control.stages import Stages
from estiva.errors import EnvironmentException, ImageException
from estiva.home import Home
from estiva.images import builder
from estiva.messages import DeploymentRequest, ModelReference
from estiva.records import ContainerRegistry, DeploymentSpec, EnvironmentSpecification, Workspace

_EMPTY_TAR = bytes(10240)
BASE = os.environ.get("ESTIVA_TEST_BASE_IMAGE", "")
SCRIPT = """
import tabulate

def init(): ...

def run(data):
    return tabulate.tabulate([[data]], tablefmt="plain")
"""


@pytest.fixture
def stages(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stages]:
    if not BASE or not engine.available():
        pytest.skip("no container engine with a base image: scripts/_engine up")
    monkeypatch.setenv(imaging.BASE_IMAGE_VARIABLE, BASE)
    stages = Stages.open(home)
    stages.store.create_workspace(Workspace(name="tests"))
    yield stages
    stages.store.close()


Wish = Callable[[EnvironmentSpecification], DeploymentSpec]


@pytest.fixture
def wish(stages: Stages, tmp_path: Path) -> Wish:
    """A deployment of one model and a script in that environment."""
    (tmp_path / "score.py").write_text(SCRIPT)
    (tmp_path / "model.txt").write_text("model")

    def make(environment: EnvironmentSpecification) -> DeploymentSpec:
        request = DeploymentRequest(
            models=(ModelReference(path=str(tmp_path / "model.txt")),),
            entry_script=str(tmp_path / "score.py"),
            environment=environment,
            interpreter=sys.executable,
        )
        return Intake(stages, Reconciler(stages)).specification("tests", request)

    return make


def never() -> bool:
    return False


def build(stages: Stages, spec: DeploymentSpec) -> str:
    return imaging.execute(imaging.plan(stages, "tests", spec, print, never), print, never)


def test_an_image_has_the_locked_packages_and_the_models(stages: Stages, wish: Wish) -> None:
    spec = wish(EnvironmentSpecification(name="e", python_version="3.11", pip_packages=("tabulate",)))
    client = engine.connect()

    image = build(stages, spec)

    command = (
        "import os, tabulate; from azureml.core.model import Model; "
        "print(Model.get_model_path('model.txt'), os.getuid())"
    )
    try:
        said = client.containers.run(image, ["-c", command], entrypoint="python", remove=True)
    finally:
        client.api.remove_image(image, force=True)
    assert isinstance(said, bytes)
    assert said.decode().split() == ["/var/azureml-app/azureml-models/model.txt/0/model.txt", "10001"]


def test_a_python_that_the_base_image_lacks(
    stages: Stages, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing answers there, so that the test needs nobody's network.
    monkeypatch.setenv("UV_PYTHON_INSTALL_MIRROR", "file:///nowhere")
    spec = wish(EnvironmentSpecification(name="e", python_version="3.13"))

    with pytest.raises(ImageException, match=f"{BASE} does not have the Python") as caught:
        build(stages, spec)

    assert caught.value.code == "PythonNotInBase"


def test_the_package_at_fault_is_named(stages: Stages, wish: Wish) -> None:
    missing = EnvironmentSpecification(
        name="e", python_version="3.11", pip_packages=("estiva-no-such-thing==1",)
    )

    with pytest.raises(EnvironmentException, match="estiva-no-such-thing"):
        build(stages, wish(missing))


@pytest.mark.skipif("ESTIVA_TEST_REGISTRY" not in os.environ, reason="no registry: scripts/_engine up")
def test_a_base_image_comes_from_a_registry_that_wants_a_login(stages: Stages) -> None:
    address = os.environ["ESTIVA_TEST_REGISTRY"]
    user, _, password = os.environ["ESTIVA_TEST_REGISTRY_LOGIN"].partition(":")
    client = engine.connect()
    name = f"{address}/empty:1"
    client.api.import_image_from_data(_EMPTY_TAR, repository=f"{address}/empty", tag="1")
    builder.push(name, print, builder.Credentials(user, password))
    client.api.remove_image(name)
    wanted = EnvironmentSpecification(name="e", python_version="3.11", base_image="empty:1")

    def base(password: str) -> str | None:
        registry = ContainerRegistry(address=address, username=user, password=SecretStr(password))
        spec = wanted.model_copy(update={"base_image_registry": registry})
        return imaging.plan_environment(stages, "tests", spec, sys.executable, print, never).base.reference

    with pytest.raises(ImageException, match="docker login"):
        base("wrong")
    try:
        assert base(password) == name
    finally:
        client.api.remove_image(name, force=True)
