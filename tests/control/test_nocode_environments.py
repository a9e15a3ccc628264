from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest
import sklearn
from sklearn.linear_model import Ridge

from estiva.control.nocode_environments import Subject, choose, specification
from estiva.control.stages import Stages
from estiva.errors import UserErrorException
from estiva.home import Home
from estiva.records import EnvironmentSpecification
from estiva.registry.trees import ingest

REQUIREMENTS = "mlflow==3.1.0\nscikit-learn==1.6.0\n"
CONDA = "dependencies:\n- python=3.11.7\n- pip<=24\n- pip:\n  - mlflow==3.1.0\nname: mlflow-env\n"
PYTHON_ENV = "python: 3.12.1\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n"


@pytest.fixture
def stages(home: Home) -> Stages:
    return Stages.open(home)


def subject(stages: Stages, path: Path, framework: str, version: str | None = None) -> Subject:
    return Subject("mine:1", framework, version, ingest(stages.blobs, path, keep_root=True).files)


def chosen(stages: Stages, wanted: Subject, python: str = sys.executable) -> tuple[tuple[str, ...], str]:
    spec, why = choose(stages, wanted, python)
    return spec.pip_packages, why


def test_the_packages_of_a_folder_and_its_python() -> None:
    texts = {"requirements.txt": REQUIREMENTS, "conda.yaml": CONDA, "python_env.yaml": PYTHON_ENV}
    found = specification(texts, "mine:1")
    assert found == EnvironmentSpecification(
        name="no-code", python_version="3.12.1", pip_packages=("mlflow==3.1.0", "scikit-learn==1.6.0")
    )


def test_a_folder_with_a_conda_file_alone() -> None:
    found = specification({"conda.yaml": CONDA}, "mine:1")
    assert found is not None
    assert (found.python_version, found.pip_packages) == ("3.11.7", ("mlflow==3.1.0",))


def test_a_folder_with_a_python_env_alone() -> None:
    found = specification(
        {"python_env.yaml": "python: '3.11'\ndependencies: [scikit-learn==1.6.0]"}, "mine:1"
    )
    assert found is not None
    assert (found.python_version, found.pip_packages) == ("3.11", ("scikit-learn==1.6.0",))
    assert specification({"python_env.yaml": PYTHON_ENV}, "mine:1") is None
    assert specification({"python_env.yaml": ": no : yaml ["}, "mine:1") is None


def test_a_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(UserErrorException, match=r"requirements\.txt of the model mine:1, line 1"):
        specification({"requirements.txt": "=="}, "mine:1")


def test_an_mlflow_folder_that_does_not_name_mlflow(stages: Stages, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "requirements.txt").write_text("scikit-learn==1.6.0\n")
    packages, why = chosen(stages, subject(stages, folder, "MLflow"))
    assert packages == ("scikit-learn==1.6.0", "mlflow")
    assert why == "in the environment of its requirements.txt, with mlflow."
    (folder / "requirements.txt").write_text("mlflow-skinny==3.1.0\n")
    assert chosen(stages, subject(stages, folder, "MLflow"))[0] == ("mlflow-skinny==3.1.0",)


def test_the_version_that_wrote_the_pickle(stages: Stages, tmp_path: Path) -> None:
    path = tmp_path / "mine.pkl"
    path.write_bytes(pickle.dumps(Ridge().fit([[1.0]], [1.0])))
    packages, why = chosen(stages, subject(stages, path, "ScikitLearn"))
    assert packages == (f"scikit-learn=={sklearn.__version__}",)
    assert "the version that wrote it" in why


def test_the_version_that_it_is_registered_with_comes_first(stages: Stages, tmp_path: Path) -> None:
    path = tmp_path / "mine.pkl"
    path.write_bytes(pickle.dumps(Ridge().fit([[1.0]], [1.0])))
    packages, why = chosen(stages, subject(stages, path, "ScikitLearn", "1.6.1"))
    assert (packages, why) == (
        ("scikit-learn==1.6.1",),
        "with scikit-learn==1.6.1, the version that it is registered with.",
    )


def test_a_pickled_classifier_of_xgboost_needs_scikit_learn(stages: Stages, tmp_path: Path) -> None:
    (tmp_path / "mine.pkl").write_bytes(b"opaque")
    packages, _ = chosen(stages, subject(stages, tmp_path / "mine.pkl", "XGBoost", "2.1.0"))
    assert packages == ("xgboost==2.1.0", "scikit-learn")


def test_the_packages_that_run_now(stages: Stages, tmp_path: Path) -> None:
    (tmp_path / "mine.pkl").write_bytes(b"says nothing")
    spec, why = choose(stages, subject(stages, tmp_path / "mine.pkl", "ScikitLearn"), sys.executable)
    assert spec.borrowed_from == sys.executable
    assert f"which have scikit-learn=={sklearn.__version__}" in why


@pytest.mark.parametrize(
    ("framework", "file", "package"),
    [("Onnx", "m.onnx", "onnxruntime"), ("XGBoost", "m.ubj", "xgboost"), ("LightGBM", "m.txt", "lightgbm")],
)
def test_files_that_every_newer_release_reads(
    stages: Stages, tmp_path: Path, framework: str, file: str, package: str
) -> None:
    (tmp_path / file).write_bytes(b"model")
    version = "1.3" if framework == "Onnx" else None  # the format's, not the runtime's
    packages, why = chosen(stages, subject(stages, tmp_path / file, framework, version))
    assert packages == (package,)
    assert f"the newest {package}" in why


def test_nothing_says_what_it_needs(stages: Stages, tmp_path: Path) -> None:
    (tmp_path / "mine.pkl").write_bytes(b"opaque")
    with pytest.raises(
        UserErrorException, match="Nothing says which xgboost the model mine:1 needs"
    ) as caught:
        choose(stages, subject(stages, tmp_path / "mine.pkl", "XGBoost"), sys.executable)
    assert caught.value.code == "NoCodeEnvironment"
