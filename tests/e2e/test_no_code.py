"""A model and no script: register, deploy, score, update, what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import pytest
from sklearn.dummy import DummyRegressor

from estiva import Environment, Model, Webservice, Workspace
from estiva.errors import UserErrorException, WebserviceException
from tests.e2e.conftest import Project
from tests.libraries import library

ASKED = json.dumps({"data": [[1.0, 2.0]]})


def registered(
    workspace: Workspace, folder: Path, answer: float, framework: str | None = Model.Framework.SCIKITLEARN
) -> Model:
    """An estimator that always answers the same."""
    path = folder / "constant.pkl"
    joblib.dump(DummyRegressor(strategy="constant", constant=answer).fit([[1.0, 2.0]], [answer]), path)
    return Model.register(workspace, path, "constant", model_framework=framework)


@pytest.fixture
def here(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The packages that run the tests, as if the model did not say what it needs: nothing is installed."""
    monkeypatch.setattr("sklearn.base.__version__", "unknown")
    return workspace


def deployed(workspace: Workspace, *models: Model) -> Webservice:
    service = Model.deploy(workspace, "constant", list(models), show_output=True)
    service.wait_for_deployment(show_output=True)
    return service


def test_a_model_alone(here: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service = deployed(here, registered(here, tmp_path, 1.5))
    assert service.run(ASKED) == {"predict": [1.5]}
    with pytest.raises(WebserviceException) as refused:
        service.run(json.dumps({"data": "no rows"}))
    assert refused.value.status_code == 400
    shown = capsys.readouterr().out
    assert "none: Estiva's own script serves the model (ScikitLearn)" in shown
    assert "Served without a score script, as a model of ScikitLearn: with the packages that run now" in shown

    service.update([registered(here, tmp_path, 2.5)])
    service.wait_for_deployment()
    assert service.run(ASKED) == {"predict": [2.5]}
    assert service.models == ["constant:2"]

    with pytest.raises(
        WebserviceException, match="no score script to reload: its model is served by"
    ) as none:
        service.reload()
    assert none.value.code == "NothingToReload"
    assert service.run(ASKED) == {"predict": [2.5]}


def test_a_script_takes_over_and_gives_back(here: Workspace, tmp_path: Path) -> None:
    service = deployed(here, registered(here, tmp_path, 1.5))
    project = Project(tmp_path, here)
    service.update(inference_config=project.inference())
    service.wait_for_deployment()
    assert service.run(json.dumps({"data": [4]})) == [8]
    assert service.framework is None
    service.reload(wait=True)


def test_what_cannot_be_served_without_a_script(here: Workspace, tmp_path: Path) -> None:
    model = registered(here, tmp_path, 1.5, framework="TensorFlow")
    with pytest.raises(UserErrorException, match="not possible for the framework 'TensorFlow' of constant:1"):
        Model.deploy(here, "constant", [model])
    for models in ([], [model, registered(here, tmp_path, 2.5)]):
        with pytest.raises(UserErrorException, match=r"takes exactly one model, but (none was|2 were) given"):
            Model.deploy(here, "constant", models)
    with pytest.raises(UserErrorException, match="registered without one"):
        Model.deploy(here, "constant", [registered(here, tmp_path, 1.5, framework=None)])
    assert here.webservices == {}


@pytest.mark.network
def test_a_library_that_the_environment_lacks_is_named(here: Workspace, tmp_path: Path) -> None:
    environment = Environment.from_pip_requirements("bare", _file(tmp_path / "bare.txt", ""))
    service = Model.deploy(here, "constant", [registered(here, tmp_path, 1.5)], environment=environment)
    with pytest.raises(WebserviceException, match="scikit-learn is not in the environment"):
        service.wait_for_deployment()


@pytest.mark.network
@pytest.mark.slow
def test_an_mlflow_folder_in_the_environment_that_it_asks_for(
    workspace: Workspace, tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    training = library(pytestconfig, "mlflow-skinny", "pandas", "scikit-learn", "skops")
    training.run(
        "import sys, pandas, mlflow.sklearn\n"
        "from sklearn.linear_model import LinearRegression\n"
        "frame = pandas.DataFrame({'a': [1.0, 2.0, 3.0]})\n"
        "mlflow.sklearn.save_model(LinearRegression().fit(frame, [2.0, 4.0, 6.0]), sys.argv[1])\n",
        tmp_path / "line",
    )
    model = Model.register(workspace, tmp_path / "line", "line")
    service = Model.deploy(workspace, "line", [model])
    service.wait_for_deployment(show_output=True)
    assert "as a model of MLflow: in the environment of its requirements.txt" in capsys.readouterr().out
    answer = service.run(json.dumps({"dataframe_records": [{"a": 5.0}]}))
    assert answer["predictions"] == pytest.approx([10.0])


def _file(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)
