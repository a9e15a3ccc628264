"""A workspace in a throw-away home, with the real control server, gateway and replicas behind it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from estiva import Model, Webservice, Workspace
from estiva.errors import WebserviceException
from estiva.home import HOME_VARIABLE, Home
from estiva.sdk.connection import connect
from estiva.sdk.inference import InferenceConfig

DOUBLING = """
import json

def init():
    print("init of doubling")

def run(data):
    return [2 * number for number in json.loads(data)["data"]]
"""

TRIPLING = DOUBLING.replace("2 * number", "3 * number").replace("doubling", "tripling")


@pytest.fixture
def workspace(home: Home) -> Iterator[Workspace]:
    """Ends everything of the home when the test is over, whatever became of it."""
    yield Workspace.create("tests", show_output=False)
    remove_services()
    connect().stop()
    connect().close()


@pytest.fixture(scope="module")
def shared_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One home for all tests of a module, which leave each other's services alone."""
    with throw_away_home(tmp_path_factory):
        yield Workspace.create("tests", show_output=False)


@contextmanager
def throw_away_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Meanwhile all that is deployed goes there; ends everything that is left of it."""
    with pytest.MonkeyPatch.context() as patch:
        home = Home(tmp_path_factory.mktemp("h"))
        patch.setenv(HOME_VARIABLE, str(home.root))
        yield
        remove_services()
        connect().stop()
        connect().close()
    if home.root not in home.runtime.parents:
        shutil.rmtree(home.runtime)


def remove_services() -> None:
    for name in Workspace.list():
        for service in Workspace.get(name).webservices.values():
            service.delete()


class Project:
    """A folder with a score script, and what deploys it."""

    def __init__(self, folder: Path, workspace: Workspace) -> None:
        self.folder = folder
        self.workspace = workspace
        self.write(DOUBLING)

    def write(self, script: str, name: str = "score.py") -> Path:
        path = self.folder / name
        path.write_text(script)
        return path

    def inference(self) -> InferenceConfig:
        """Without an environment: the packages that run the tests, so that nothing is installed."""
        return InferenceConfig(entry_script=str(self.folder / "score.py"))

    def deploy(self, name: str = "doubling", wait: bool = True, overwrite: bool = False) -> Webservice:
        service = Model.deploy(self.workspace, name, [], self.inference(), overwrite=overwrite)
        if wait:
            service.wait_for_deployment()
        return service


@pytest.fixture
def project(tmp_path: Path, workspace: Workspace) -> Project:
    return Project(tmp_path, workspace)


def body(*numbers: int) -> str:
    return json.dumps({"data": numbers})


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def answers(service: Webservice) -> bool:
    """Whether the doubling service answers as it should."""
    try:
        return bool(service.run(body(1)) == [2])
    except WebserviceException:
        return False
