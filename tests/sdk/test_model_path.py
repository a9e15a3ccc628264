"""Where a model's files are, by the rules of SDK v1."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest

from estiva.errors import EstivaError, ModelNotFoundException, WebserviceException
from estiva.sdk.model import Model
from estiva.sdk.workspace import Workspace
from estiva_server import contract
from tests.sdk.answering import Answer, Script, of_json

PICKLE = b"weights"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(contract.APP_ROOT_VARIABLE, raising=False)
    return tmp_path


def put(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(PICKLE)


def test_the_newest_version_is_the_highest_number() -> None:
    put("azureml-models/iris.pkl/9/a.pkl", "azureml-models/iris.pkl/10/b.pkl")
    assert Model.get_model_path("iris.pkl") == "azureml-models/iris.pkl/10/b.pkl"
    assert Model.get_model_path("iris.pkl", 9) == "azureml-models/iris.pkl/9/a.pkl"


def test_a_folder_model_is_its_folder() -> None:
    put("azureml-models/net/1/saved/weights", "azureml-models/net/1/saved/config")
    assert Model.get_model_path("net") == "azureml-models/net/1/saved"


def test_the_app_root_is_looked_in(monkeypatch: pytest.MonkeyPatch) -> None:
    put("root/azureml-models/iris/1/a.pkl")
    monkeypatch.setenv(contract.APP_ROOT_VARIABLE, "root")
    assert Model.get_model_path("iris") == "root/azureml-models/iris/1/a.pkl"


def test_else_a_path_of_that_name_as_it_was_given() -> None:
    put("iris.pkl", "azureml-models/iris.pkl/1/a.pkl")
    assert Model.get_model_path("iris.pkl", 2) == "iris.pkl"
    put("other.pkl")
    assert Model.get_model_path("other.pkl") == "other.pkl"


def refused(kind: type[EstivaError], name: str, version: object = None) -> str:
    with pytest.raises(kind) as caught:
        Model.get_model_path(name, version)  # type: ignore[arg-type]
    assert type(caught.value) is kind
    return caught.value.message


def test_nothing_found(folder: Path) -> None:
    said = refused(ModelNotFoundException, "iris")
    assert str(folder / "azureml-models/iris") in said
    assert str(folder / "iris") in said
    assert "Give a workspace" in said


def test_a_version_that_is_not_there_is_an_error_of_the_service() -> None:
    put("azureml-models/iris/1/a.pkl")
    assert "Version 2 of the model was asked for." in refused(WebserviceException, "iris", 2)


def test_a_version_is_an_integer() -> None:
    assert "version must be an integer, not '1'" in refused(WebserviceException, "iris", "1")


def test_a_version_folder_holds_exactly_one_entry() -> None:
    put("azureml-models/iris/1/a.pkl", "azureml-models/iris/1/b.pkl")
    assert "must hold exactly one file or folder, but holds 2" in refused(WebserviceException, "iris")


def test_a_model_folder_without_versions() -> None:
    Path("azureml-models/iris").mkdir(parents=True)
    assert "holds no version of the model" in refused(WebserviceException, "iris")


def test_a_folder_that_is_no_version() -> None:
    put("azureml-models/iris/latest/a.pkl")
    with pytest.raises(ValueError, match="latest"):
        Model.get_model_path("iris")


def test_the_log_says_where_it_looked(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    put("iris")
    with caplog.at_level(logging.DEBUG, logger="estiva"):
        Model.get_model_path("iris")
    assert [message.rpartition(" ")[2] for message in caplog.messages] == [
        str(folder / "azureml-models/iris"),
        str(folder / "iris"),
    ]


@pytest.fixture
def workspace(control: Script) -> Workspace:
    """With one version, 3, of a model of one file with an unusual name."""
    record = {
        "name": "iris",
        "version": 3,
        "tree": {
            "files": [
                {"path": "50% #1?.pkl", "sha256": hashlib.sha256(PICKLE).hexdigest(), "size": len(PICKLE)}
            ]
        },
    }
    control.on("GET", "/workspaces/W", of_json({"name": "W"}))
    control.on("GET", "/workspaces/W/models/iris", of_json(record))
    control.on("GET", "/workspaces/W/models/iris/3/files/50% #1?.pkl", Answer(body=PICKLE))
    return Workspace("", "", "W")


def test_with_a_workspace_the_newest_version_is_downloaded(workspace: Workspace, control: Script) -> None:
    put("azureml-models/iris/2/old.pkl")
    for _ in range(2):
        path = Model.get_model_path("iris", _workspace=workspace)
        assert path == "azureml-models/iris/3/50% #1?.pkl"
        assert Path(path).read_bytes() == PICKLE
    assert list(Path("azureml-models/iris/3").iterdir()) == [Path(path)]


def test_with_a_workspace_a_version_that_is_here_is_used(workspace: Workspace, control: Script) -> None:
    put("azureml-models/iris/3/here.pkl")
    before = len(control.asked)
    assert Model.get_model_path("iris", 3, workspace) == "azureml-models/iris/3/here.pkl"
    assert len(control.asked) == before
