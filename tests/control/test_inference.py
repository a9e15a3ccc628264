from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import joblib
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from estiva.control.inference import infer
from estiva.control.stages import Stages
from estiva.errors import UserErrorException
from estiva.home import Home
from estiva.messages import EnvironmentInference, InferredEnvironment

SCRIPT = """
import json, os.path
import joblib
from numpy import array
from azureml.core.model import Model
from inference_schema.schema_decorators import input_schema
import features
import not_installed_here
def init(): pass
"""


@pytest.fixture
def stages(home: Home) -> Iterator[Stages]:
    opened = Stages.open(home)
    yield opened
    opened.store.close()


def inferred(stages: Stages, script: Path, model: Path | None = None) -> InferredEnvironment:
    wanted = EnvironmentInference(
        name="mine", interpreter=sys.executable, entry_script=str(script), model=str(model) if model else None
    )
    return infer(stages, wanted)


def pinned(*names: str) -> list[str]:
    return [f"{name}=={version(name)}" for name in names]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "features.py").touch()
    (tmp_path / "score.py").write_text(SCRIPT)
    return tmp_path / "score.py"


def test_what_a_script_imports_in_the_versions_that_are_installed(stages: Stages, script: Path) -> None:
    found = inferred(stages, script)
    assert list(found.specification.pip_packages) == pinned("joblib", "numpy")
    assert found.specification.python_version == "{}.{}".format(*sys.version_info)
    assert found.notices == (
        "The script imports not_installed_here, which is not installed here: add the package that has it.",
    )


def test_what_a_model_says_counts_more(
    stages: Stages, script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sklearn.base.__version__", "1.0.2")
    model = LinearRegression().fit(pd.DataFrame({"a": [1.0, 2.0]}), [1.0, 2.0])
    joblib.dump(model, tmp_path / "model.pkl")
    found = inferred(stages, script, tmp_path / "model.pkl")
    expected = [*pinned("joblib", "numpy", "pandas"), "scikit-learn==1.0.2"]
    assert list(found.specification.pip_packages) == expected
    assert "model.pkl was written by scikit-learn==1.0.2, and scikit-learn==" in found.notices[1]


def test_a_folder_that_names_its_packages(stages: Stages, script: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "requirements.txt").write_text("numpy==1.19.5\nmlflow\n")
    found = inferred(stages, script, tmp_path / "model").specification
    assert list(found.pip_packages) == ["numpy==1.19.5", "mlflow", *pinned("joblib")]


def test_what_is_not_there(stages: Stages, script: Path, tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match=r"There is no .*nowhere"):
        inferred(stages, script, tmp_path / "nowhere")
