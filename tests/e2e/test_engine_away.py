"""An engine that ends under its services, or whose disk is full: told as that, and all goes on afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from estiva import Environment, InferenceConfig, LocalWebservice, Model, Webservice, Workspace, engine
from estiva.errors import RunEnvironmentException, WebserviceException
from estiva.images.records import BaseImage
from estiva.records import Runtime
from tests.e2e.conftest import DOUBLING, answers, body, wait_until
from tests.engines import OwnEngine, own_engine
from tests.images.conftest import BASE, base, client
from tests.targets.conftest import image

__all__ = ["base", "client", "image"]

pytestmark = pytest.mark.xdist_group("own engine")

Deploy = Callable[..., Webservice]

SIZE = "420m"
SPARE = 2_000_000


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, image: str, base: BaseImage) -> Iterator[OwnEngine]:
    """With the base image and the environment, so that it needs no network."""
    with own_engine(tmp_path_factory.mktemp("e"), SIZE) as started, pytest.MonkeyPatch.context() as patch:
        started.load(image, BASE)
        patch.setenv(engine.HOST_VARIABLE, started.url)
        patch.setenv("ESTIVA_BASE_IMAGE", BASE)
        yield started


@pytest.fixture
def deploy(own: OwnEngine, workspace: Workspace, tmp_path: Path) -> Deploy:
    (tmp_path / "score.py").write_text(DOUBLING)
    environment = Environment("plain")
    environment.python.conda_dependencies.set_python_version("3.11")
    inference = InferenceConfig(entry_script=str(tmp_path / "score.py"), environment=environment)

    def deploy(name: str, runtime: Runtime, *models: str) -> Webservice:
        configuration = LocalWebservice.deploy_configuration(runtime=runtime)
        service = Model.deploy(workspace, name, list(models), inference, configuration)
        service.wait_for_deployment()
        return service

    return deploy


def test_an_engine_that_ends_and_comes_back(own: OwnEngine, deploy: Deploy, workspace: Workspace) -> None:
    inside, beside = deploy("inside", "docker"), deploy("beside", "process")

    own.stop()
    inside.update_deployment_state()
    assert "No container engine answers" in str(inside.trouble)
    with pytest.raises(WebserviceException) as caught:
        inside.run(body(1))
    assert caught.value.status_code in (502, 503)
    assert beside.run(body(1)) == [2]
    assert [service.name for service in Webservice.list(workspace)] == ["beside", "inside"]
    with pytest.raises(RunEnvironmentException, match="No container engine answers"):
        deploy("another", "docker")

    own.start()
    wait_until(lambda: answers(inside), 60, "the service is back")
    assert beside.run(body(1)) == [2]


def test_an_engine_whose_disk_is_full(own: OwnEngine, deploy: Deploy, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(os.urandom(10 * SPARE))
    filler = own.fill(leave=SPARE)

    with pytest.raises(WebserviceException, match=r"docker\s+system\s+df") as caught:
        deploy("full", "docker", str(tmp_path / "model.bin"))
    assert caught.value.code == "DiskFull"

    filler.unlink()
    assert deploy("room", "docker", str(tmp_path / "model.bin")).run(body(1)) == [2]
