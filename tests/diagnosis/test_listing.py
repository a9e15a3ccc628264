from __future__ import annotations

import pytest

from estiva.diagnosis.listing import expression, models, nearest
from estiva.records import Evidence, StepName

ONE = Evidence(
    step=StepName.INIT,
    entry_script="src/score.py",
    files=("src/score.py", "src/data/labels.json", "azureml-models/iris/3/out/model.pkl"),
)
TWO = ONE.model_copy(update={"files": (*ONE.files, "azureml-models/rose/1/model.pkl")})


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/home/ana/model.pkl", "azureml-models/iris/3/out/model.pkl"),
        ("azureml-models/iris/3/Model.pkl", "azureml-models/iris/3/out/model.pkl"),
        ("azureml-models/iris/3/other.pkl", "azureml-models/iris/3/out/model.pkl"),
        ("labels.json", "src/data/labels.json"),
        ("nothing.like.it", None),
    ],
)
def test_what_was_meant(path: str, file: str | None) -> None:
    assert nearest(ONE, path) == file


def test_of_two_that_have_the_name_the_one_whose_path_is_more_alike() -> None:
    assert nearest(TWO, "azureml-models/rose/model.pkl") == "azureml-models/rose/1/model.pkl"


def test_how_python_finds_it() -> None:
    in_models = 'os.path.join(os.environ["AZUREML_MODEL_DIR"], '
    assert expression(ONE, "azureml-models/iris/3/out/model.pkl") == f'{in_models}"out/model.pkl")'
    assert expression(TWO, "azureml-models/rose/1/model.pkl") == f'{in_models}"rose/1/model.pkl")'
    beside = "os.path.join(os.path.dirname(__file__), "
    assert expression(ONE, "src/data/labels.json") == f'{beside}"data/labels.json")'


def test_what_the_models_hold() -> None:
    assert models(ONE) == ("azureml-models/iris/3/out/model.pkl",)
    assert models(Evidence(step=StepName.INIT, files=("score.py",))) == (
        "the service was deployed without a model",
    )
    assert models(Evidence(step=StepName.INIT)) == ()
