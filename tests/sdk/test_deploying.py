from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from estiva import LocalWebservice, Model, Workspace
from estiva.errors import MissingModelPath, UserErrorException, WebserviceException
from estiva.messages import ModelReference, PublicationRequest, ServiceView
from estiva.sdk.deploying import request
from estiva.sdk.environment import Environment
from estiva.sdk.inference import InferenceConfig
from tests.registry.samples import generation, service
from tests.sdk.answering import Script, of_json

configuration = LocalWebservice.deploy_configuration


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "source").mkdir()
    for name in ("score.py", "source/score.py"):
        (tmp_path / name).write_text("def init(): pass\ndef run(data): return data\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_not_given_stays_out_of_the_request() -> None:
    asked = request(None, None, None)
    assert asked.interpreter == sys.executable
    assert asked.model_dump(exclude={"interpreter", "overwrite"}, exclude_none=True) == {}


def test_paths_are_absolute(folder: Path) -> None:
    asked = request([], InferenceConfig("score.py", source_directory="source"), None)
    assert (asked.entry_script, asked.source_directory) == (
        str(folder / "source/score.py"),
        str(folder / "source"),
    )
    assert request([], InferenceConfig("score.py"), None).entry_script == str(folder / "score.py")


def test_the_environment_travels_with_its_version() -> None:
    environment = Environment("mine")
    environment.version = "4"
    asked = request([], InferenceConfig("score.py", environment=environment), None)
    assert (asked.environment, asked.environment_version) == (environment.to_specification(), "4")


def test_numbers_travel_as_text() -> None:
    numbers: Any = {"N": 3}
    asked = request(
        None,
        None,
        configuration(environment_variables=numbers, secrets=numbers, tags=numbers, properties=numbers),
    )
    assert asked.variables == asked.tags == asked.properties == {"N": "3"}
    assert asked.body()["secrets"] == {"N": "3"}


def test_labels_that_are_no_dict_are_refused() -> None:
    wrong: Any = ["a"]
    with pytest.raises(WebserviceException, match="tags must be a dict"):
        request(None, None, configuration(tags=wrong))


def test_the_settings_are_those_of_the_configuration() -> None:
    asked = request(None, None, configuration(port=8890, scoring_timeout_ms=100, debug=True))
    assert asked.settings is not None
    assert (asked.settings.scoring_timeout_ms, asked.settings.debug) == (100, True)
    assert asked.publication == PublicationRequest(host="127.0.0.1", port=8890)


@pytest.mark.parametrize("port", [0, 65536, -1, "8890", True, 80.0])
def test_a_port_is_an_integer_from_1_to_65535(port: Any) -> None:
    with pytest.raises(WebserviceException, match="use an integer from 1 to 65535") as caught:
        configuration(port=port)
    assert caught.value.code == "PortInvalid"


def test_a_deadline_is_greater_than_zero() -> None:
    with pytest.raises(WebserviceException, match="scoring_timeout_ms must be greater than 0"):
        configuration(scoring_timeout_ms=0)


@pytest.fixture
def workspace(control: Script) -> Workspace:
    control.on("GET", "/workspaces/W", of_json({"name": "W"}))
    return Workspace("", "", "W")


def test_a_deployment_without_an_inference_configuration(
    workspace: Workspace, control: Script, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    control.on("PUT", "/workspaces/W/services/mine", of_json(view().model_dump(mode="json"), 202))
    (folder / "mine.pkl").touch()
    reference = ModelReference(path=str(folder / "mine.pkl"), framework="ScikitLearn")
    Model.deploy(workspace, "mine", [reference], environment=Environment("own"), show_output=True)
    asked = control.requests("PUT", "/workspaces/W/services/mine")[0].json
    assert (asked["entry_script"], asked["environment"]["name"]) == (None, "own")
    assert asked["models"][0]["framework"] == "ScikitLearn"
    assert "Estiva's own script serves the model" in capsys.readouterr().out


def test_one_environment_is_enough(workspace: Workspace) -> None:
    with pytest.raises(UserErrorException, match="Give the environment in the inference configuration"):
        Model.deploy(workspace, "mine", [], InferenceConfig("score.py"), environment=Environment("own"))


def test_a_model_that_is_not_there(workspace: Workspace) -> None:
    with pytest.raises(MissingModelPath, match=r"'no\.pkl' does not exist"):
        Model.deploy(workspace, "mine", ["no.pkl"], InferenceConfig("score.py"))


def view(**changes: object) -> ServiceView:
    return ServiceView(
        service=service().model_copy(update=changes),
        scoring_uri="http://localhost:8890/score",
        local_uri="http://localhost:8890/score",
        desired=generation(),
    )


def test_a_deployment_returns_at_once_with_a_service(
    workspace: Workspace, control: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    control.on("PUT", "/workspaces/W/services/mine", of_json(view().model_dump(mode="json"), 202))
    deployed = Model.deploy(
        workspace, "mine", [], InferenceConfig("score.py"), overwrite=True, show_output=True
    )
    assert (deployed.state, deployed.port, deployed.scoring_uri) == ("deploying", None, None)
    assert control.requests("PUT", "/workspaces/W/services/mine")[0].json["overwrite"] is True
    assert "Deploying mine as a process on this machine" in capsys.readouterr().out


def test_the_addresses_of_a_service(workspace: Workspace) -> None:
    running = LocalWebservice(workspace, "mine", _view=view(serving=1))
    assert running.scoring_uri == "http://localhost:8890/score"
    assert running.swagger_uri == "http://localhost:8890/swagger.json"
    assert running.port == "8890"
