"""Model.get_model_path, by the rules of the original."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from estiva_server.shims.azureml.core import model as module
from estiva_server.shims.azureml.core.model import Model
from estiva_server.shims.azureml.exceptions import ModelNotFoundException, WebserviceException
from tests.server.serving import write_files

Deploy = Callable[..., None]


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Puts files below azureml-models in the app root, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "MODELS_DIR", tmp_path / "azureml-models")

    def put(*paths: str) -> None:
        write_files(tmp_path / "azureml-models", dict.fromkeys(paths, "x"))

    return put


def test_a_file(deploy: Deploy, tmp_path: Path) -> None:
    deploy("iris.pkl/1/iris.pkl")
    assert Model.get_model_path("iris.pkl") == str(tmp_path / "azureml-models/iris.pkl/1/iris.pkl")


def test_a_folder(deploy: Deploy, tmp_path: Path) -> None:
    deploy("iris/1/models/a.pkl", "iris/1/models/b.pkl")
    assert Model.get_model_path("iris") == str(tmp_path / "azureml-models/iris/1/models")


def test_the_newest_is_so_by_number(deploy: Deploy) -> None:
    deploy("iris/9/m", "iris/10/m", "iris/2/m")
    assert Model.get_model_path("iris").endswith("iris/10/m")


def test_a_version(deploy: Deploy) -> None:
    deploy("iris/1/m", "iris/2/m")
    assert Model.get_model_path("iris", version=1).endswith("iris/1/m")
    assert Model.get_model_path("iris", 2).endswith("iris/2/m")


def test_among_several_models(deploy: Deploy) -> None:
    deploy("iris/3/m", "rose/1/m")
    assert Model.get_model_path("rose").endswith("rose/1/m")


def test_a_workspace_changes_nothing(deploy: Deploy) -> None:
    deploy("iris/3/m")
    assert Model.get_model_path("iris", _workspace=object()).endswith("iris/3/m")


@pytest.mark.parametrize("version", ["1", 1.0])
def test_a_version_must_be_an_int(deploy: Deploy, version: object) -> None:
    deploy("iris/1/m")
    with pytest.raises(WebserviceException, match=r"version must be an int, not '?1"):
        Model.get_model_path("iris", version)  # type: ignore[arg-type]


def test_a_file_in_the_working_directory_stands_in(deploy: Deploy, tmp_path: Path) -> None:
    (tmp_path / "iris.pkl").touch()
    assert Model.get_model_path("iris.pkl") == "iris.pkl"
    assert Model.get_model_path("iris.pkl", version=4) == "iris.pkl"
    deploy("iris.pkl/1/m")
    assert Model.get_model_path("iris.pkl", version=4) == "iris.pkl"
    assert Model.get_model_path("iris.pkl").endswith("iris.pkl/1/m")


def test_no_such_model(deploy: Deploy) -> None:
    deploy("iris/1/m", "rose/1/m")
    with pytest.raises(ModelNotFoundException, match=r"Model tulip was not found: .*models: iris, rose\.$"):
        Model.get_model_path("tulip")


@pytest.mark.usefixtures("deploy")
def test_no_models_at_all() -> None:
    with pytest.raises(ModelNotFoundException, match=r"Deployed models: none\.$"):
        Model.get_model_path("iris")


@pytest.mark.parametrize(("name", "version"), [("iris", 2), ("tulip", 1)])
def test_no_such_version_is_another_exception(deploy: Deploy, name: str, version: int) -> None:
    deploy("iris/1/m")
    with pytest.raises(WebserviceException, match=f"Model {name} was not found"):
        Model.get_model_path(name, version=version)


def test_a_version_that_is_no_number(deploy: Deploy) -> None:
    deploy("iris/1/m", "iris/latest/m")
    with pytest.raises(ValueError, match="latest"):
        Model.get_model_path("iris")


def test_no_version(deploy: Deploy, tmp_path: Path) -> None:
    deploy()
    (tmp_path / "azureml-models/iris").mkdir(parents=True)
    with pytest.raises(WebserviceException, match="is empty: no version of model iris"):
        Model.get_model_path("iris")


def test_a_version_of_several_entries(deploy: Deploy) -> None:
    deploy("iris/1/a", "iris/1/b")
    with pytest.raises(WebserviceException, match="exactly one file or folder, but holds 2: a, b"):
        Model.get_model_path("iris")


def test_a_version_of_no_entry(deploy: Deploy, tmp_path: Path) -> None:
    (tmp_path / "azureml-models/iris/1").mkdir(parents=True)
    with pytest.raises(WebserviceException, match="but holds 0"):
        Model.get_model_path("iris")


def test_where_it_looks_is_logged(deploy: Deploy, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    deploy("iris/1/m")
    with caplog.at_level(logging.DEBUG):
        Model.get_model_path("iris")
    assert f"Looking for model iris in {tmp_path}/azureml-models/iris" in caplog.text
    assert f"Found {tmp_path}/azureml-models/iris/1/m" in caplog.text


def test_other_uses_say_what_works() -> None:
    with pytest.raises(WebserviceException, match=r"only Model\.get_model_path\(\) works"):
        Model(object(), "iris")
