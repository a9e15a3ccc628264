"""A way into a service, whether it runs or failed."""

from __future__ import annotations

import pytest

from estiva import LocalWebservice, Model
from estiva.errors import WebserviceException
from tests.e2e.conftest import Project

LOOK = (
    "import os, sys; print(sorted(os.listdir())); print(os.environ['AZUREML_MODEL_DIR']); "
    "print(os.environ['GREETING']); print('STORE' in os.environ); import score; score.init()"
)


def test_a_command_runs_with_what_the_script_has(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    configuration = LocalWebservice.deploy_configuration(
        environment_variables={"GREETING": "hello"}, secrets={"STORE": "planted"}
    )
    service = Model.deploy(project.workspace, "entered", [], project.inference(), configuration)
    service.wait_for_deployment()
    assert service.shell(["python", "-c", LOOK]) == 0
    assert capfd.readouterr().out.splitlines() == [
        "['score.py']",
        "azureml-models",
        "hello",
        "False",
        "init of doubling",
    ]


def test_a_deployment_that_failed_can_be_looked_at(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    project.write("def init():\n    open('missing.bin')\n\ndef run(data):\n    return 0\n")
    service = project.deploy(wait=False)
    with pytest.raises(WebserviceException):
        service.wait_for_deployment()
    assert service.shell(["python", "-c", "import score; score.init()"]) == 1
    assert "FileNotFoundError" in capfd.readouterr().err
    assert service.shell(["sh", "-c", "exit 7"]) == 7
