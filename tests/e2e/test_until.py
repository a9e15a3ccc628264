"""A deployment that stops after a step, and is left to be looked at."""

from __future__ import annotations

import pytest

from estiva import LocalWebservice, Model, Webservice
from estiva.records import StopAfter
from tests.e2e.conftest import TRIPLING, Project, body


def deploy(project: Project, until: StopAfter, overwrite: bool = False) -> Webservice:
    configuration = LocalWebservice.deploy_configuration(until=until)
    inference = project.inference()
    service = Model.deploy(project.workspace, "doubling", [], inference, configuration, overwrite=overwrite)
    service.wait_for_deployment()
    return service


@pytest.mark.parametrize(
    ("until", "last", "replicas"),
    [("environment", "environment", 0), ("start", "start", 1), ("init", "init", 1)],
)
def test_it_stops_there_and_goes_on_with_a_reload(
    project: Project, until: StopAfter, last: str, replicas: int
) -> None:
    service = deploy(project, until)
    assert [(step.name.value, step.state) for step in service.steps][-1] == (last, "succeeded")
    assert service.scoring_uri is None
    assert len(service._view.replicas) == replicas
    assert service.shell(["python", "-c", "import score; score.init()"]) == 0
    service.reload(wait=True)
    assert service.run(body(1)) == [2]


def test_what_served_before_goes_on_serving(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.deploy()
    project.write(TRIPLING)
    service = deploy(project, "init", overwrite=True)
    service.wait_for_deployment(show_output=True)
    assert "Stopped after the step init, as asked." in capsys.readouterr().out
    assert (service.state, service.generation) == (LocalWebservice.STATE_RUNNING, 1)
    assert service.run(body(1)) == [2]
    service.reload(wait=True)
    assert service.run(body(1)) == [3]
