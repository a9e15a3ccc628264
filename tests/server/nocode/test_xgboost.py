from __future__ import annotations

import pytest

from tests.libraries import Library, library
from tests.server.nocode.conftest import HIGH, LOW, ROWS, NoCode, message

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("xgboost")]

FIT = ROWS + "import xgboost, numpy, pickle\nrows = numpy.array(rows)\n"
BOOSTER = FIT + (
    "data = xgboost.DMatrix(rows, classes, feature_names=['a', 'b', 'c'])\n"
    "xgboost.train({'objective': 'binary:logistic'}, data, 20).save_model(folder / sys.argv[2])\n"
)
CLASSIFIER = FIT + (
    "model = xgboost.XGBClassifier(n_estimators=20).fit(rows, classes)\n"
    "(folder / 'model.pkl').write_bytes(pickle.dumps(model))\n"
)


@pytest.fixture(scope="session")
def environment(pytestconfig: pytest.Config) -> Library:
    return library(pytestconfig, "xgboost>=2", "scikit-learn")


@pytest.mark.parametrize("file", ["model.ubj", "model.json"])
def test_a_booster(no_code: NoCode, environment: Library, file: str) -> None:
    environment.run(BOOSTER, no_code.model, file)
    score = no_code.serve("XGBoost", environment)
    low, high = score({"data": [LOW, HIGH]}).json["predict"]
    assert low < 0.1 < 0.9 < high
    named = {"c": HIGH[2], "b": HIGH[1], "a": HIGH[0]}
    assert score({"data": [named]}).json == {"predict": [high]}
    assert score({"data": [[55, None, None]]}).status == 200
    assert "is 1 values, but the model takes 3" in message(score({"data": [[1]]}))
    assert score(no_code.described()["example"]).status == 200


def test_a_pickled_classifier(no_code: NoCode, environment: Library) -> None:
    environment.run(CLASSIFIER, no_code.model)
    score = no_code.serve("XGBoost", environment)
    assert score({"data": [LOW, HIGH]}).json == {"predict": [0, 1]}
    low, high = score({"data": [HIGH], "method": "predict_proba"}).json["predict"][0]
    assert low < 0.1 < 0.9 < high
