"""Where no HAProxy can be had, a service listens on its port itself, and an update stops it first."""

from __future__ import annotations

import pytest

from estiva import Webservice
from estiva.errors import WebserviceException
from estiva.gateway import binary
from estiva.home import Home
from estiva.sdk.connection import connect
from tests.e2e.conftest import TRIPLING, Project, answers, body, wait_until


@pytest.fixture(autouse=True)
def home(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Set before the workspace starts the control server, which finds no HAProxy then."""
    monkeypatch.setenv(binary.VARIABLE, binary.NONE)
    return home


@pytest.fixture
def service(project: Project) -> Webservice:
    return project.deploy()


def test_it_answers_and_says_what_is_different(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    service = project.deploy(wait=False)
    service.wait_for_deployment(show_output=True)
    assert "No HAProxy was found, so the service listens on its port itself" in capsys.readouterr().out
    assert service.run(body(1)) == [2]
    status = connect().status()
    assert status is not None
    assert status.gateway.startswith("No HAProxy was found")


def test_an_update_takes_the_port_over(project: Project, service: Webservice) -> None:
    port = service.port
    project.write(TRIPLING)
    service.reload(wait=True)
    assert service.run(body(1)) == [3]
    assert service.port == port


def test_after_a_failed_update_the_former_one_comes_back(project: Project, service: Webservice) -> None:
    project.write("def init():\n    raise ValueError('no')\n\ndef run(data):\n    return 0\n")
    service.reload()
    with pytest.raises(WebserviceException, match="no"):
        service.wait_for_deployment()
    wait_until(lambda: answers(service), 20, "the former generation answers")
