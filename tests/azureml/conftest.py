"""A workspace as scripts for azureml.core see it, in a throw-away home."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from estiva.azureml import notices
from estiva.azureml.aci import AciWebservice
from estiva.azureml.aks import AksWebservice
from estiva.azureml.aks_endpoint import AksEndpoint
from estiva.azureml.local import LocalWebservice
from estiva.azureml.workspace import Workspace
from estiva.home import HOME_VARIABLE, Home
from estiva.records import ServiceKind
from estiva.sdk import webservice
from estiva.sdk.connection import connect

_KINDS: dict[ServiceKind, type[webservice.Webservice]] = {
    "local": LocalWebservice,
    "container": AciWebservice,
    "kubernetes": AksWebservice,
    "endpoint": AksEndpoint,
}


@pytest.fixture(scope="module", autouse=True)
def own_classes() -> Iterator[None]:
    """The classes take the place of the SDK's in a whole program: here, for these tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        for kind, cls in _KINDS.items():
            patch.setitem(webservice._classes, kind, cls)
        yield


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One home for all tests of a module, which leave each other's things alone."""
    with pytest.MonkeyPatch.context() as patch:
        home = Home(tmp_path_factory.mktemp("h"))
        patch.setenv(HOME_VARIABLE, str(home.root))
        yield Workspace.create("tests", show_output=False)
        for service in Workspace.get("tests").webservices.values():
            service.delete()
        connect().stop()
        connect().close()
    if home.root not in home.runtime.parents:
        shutil.rmtree(home.runtime)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Notices are said once in a program: in a test, as if nothing had been said yet."""
    notices.forget()
    yield capsys
    notices.forget()
