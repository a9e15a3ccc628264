from __future__ import annotations

import pickle

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.server.nocode.conftest import HIGH, LOW, NoCode, message

ROWS = np.array([[float(i), float(i * i % 7), float(i % 3)] for i in range(60)])
CLASSES = (ROWS[:, 0] > 29).astype(int)


@pytest.fixture
def estimator() -> object:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, CLASSES)


def test_predictions_and_probabilities(no_code: NoCode, estimator: object) -> None:
    joblib.dump(estimator, no_code.model / "mine.pkl")
    score = no_code.serve("ScikitLearn")
    assert score({"data": [LOW, HIGH]}).json == {"predict": [0, 1]}
    assert score({"data": [LOW], "method": "predict"}).json == {"predict": [0]}
    (low, high) = score({"data": [HIGH], "method": "predict_proba"}).json["predict"][0]
    assert low < 0.1 < 0.9 < high


def test_what_is_refused_is_400_with_the_reason(no_code: NoCode, estimator: object) -> None:
    (no_code.model / "mine.pkl").write_bytes(pickle.dumps(estimator))
    score = no_code.serve("ScikitLearn")
    assert "is 2 values, but the model takes 3" in message(score({"data": [[1, 2]]}))
    assert "no list of values" in message(score({"data": [1, 2, 3]}))
    assert "could not convert" in message(score({"data": [["a", "b", "c"]]}))
    assert "NaN" in message(score({"data": [[1, None, 3]]}))
    assert "has no method 'fit'; it has predict, predict_proba" in message(
        score({"data": [LOW], "method": "fit"})
    )
    assert "not JSON" in message(score("no json"))
    assert 'must have "data"' in message(score({"rows": []}))
    assert "does not name its columns" in message(score({"data": [{"a": 1}]}))
    assert score({"data": [LOW]}).json == {"predict": [0]}


def test_the_description_has_a_sample(no_code: NoCode, estimator: object) -> None:
    joblib.dump(estimator, no_code.model / "mine.joblib", compress=3)
    score = no_code.serve("ScikitLearn")
    described = no_code.described()
    assert described["properties"]["method"]["enum"][:2] == ["predict", "predict_proba"]
    assert score(described["example"]).status == 200


def test_a_folder_with_more_than_the_model(no_code: NoCode, estimator: object) -> None:
    folder = no_code.model / "mine"
    folder.mkdir()
    joblib.dump(estimator, folder / "model.joblib")
    (folder / "README.md").write_text("How it was made.")
    assert no_code.serve("ScikitLearn")({"data": [LOW]}).json == {"predict": [0]}


def test_two_models_are_one_too_many(no_code: NoCode) -> None:
    for name in ("a.pkl", "b.pkl"):
        (no_code.model / name).touch()
    server = no_code.start("ScikitLearn")
    server.log.wait_for("must have exactly one file .* but it has: a.pkl, b.pkl")
    assert server.wait() == 3


def test_a_library_that_is_missing_is_named(no_code: NoCode) -> None:
    server = no_code.start("XGBoost")
    server.log.wait_for("needs the package xgboost, which is not in the environment. Add xgboost")
    assert server.wait() == 3
