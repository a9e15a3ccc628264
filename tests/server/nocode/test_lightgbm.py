from __future__ import annotations

import pytest

from tests.libraries import Library, library
from tests.server.nocode.conftest import HIGH, LOW, ROWS, NoCode, message

pytestmark = [pytest.mark.network, pytest.mark.xdist_group("lightgbm")]

BOOSTER = (
    ROWS
    + """
import lightgbm, numpy
data = lightgbm.Dataset(numpy.array(rows), classes, feature_name=["a", "b", "c"])
lightgbm.train({"objective": "binary", "verbose": -1}, data, 20).save_model(folder / "model.txt")
"""
)


@pytest.fixture(scope="session")
def environment(pytestconfig: pytest.Config) -> Library:
    return library(pytestconfig, "lightgbm>=4")


def test_a_booster(no_code: NoCode, environment: Library) -> None:
    environment.run(BOOSTER, no_code.model)
    score = no_code.serve("LightGBM", environment)
    low, high = score({"data": [LOW, HIGH]}).json["predict"]
    assert low < 0.1 < 0.9 < high
    named = {"c": HIGH[2], "b": HIGH[1], "a": HIGH[0]}
    assert score({"data": [named]}).json == {"predict": [high]}
    assert score({"data": [[55, None, None]]}).status == 200
    assert "has no value for 'b', 'c'" in message(score({"data": [{"a": 1}]}))
    assert "it has predict" in message(score({"data": [LOW], "method": "predict_proba"}))
    example = no_code.described()["example"]
    assert example == {"data": [{"a": 0, "b": 0, "c": 0}]}
    assert score(example).status == 200


@pytest.mark.slow
def test_a_pickled_classifier(no_code: NoCode, pytestconfig: pytest.Config) -> None:
    environment = library(pytestconfig, "lightgbm>=4", "scikit-learn")
    environment.run(
        ROWS
        + "import lightgbm, numpy, pickle\n"
        + "model = lightgbm.LGBMClassifier(n_estimators=20, verbose=-1).fit(numpy.array(rows), classes)\n"
        + "(folder / 'model.pkl').write_bytes(pickle.dumps(model))\n",
        no_code.model,
    )
    score = no_code.serve("LightGBM", environment)
    assert score({"data": [LOW, HIGH]}).json == {"predict": [0, 1]}
    low, high = score({"data": [HIGH], "method": "predict_proba"}).json["predict"][0]
    assert low < 0.1 < 0.9 < high
