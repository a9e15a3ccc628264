from __future__ import annotations

import pytest

from tests.libraries import Library, library
from tests.server.nocode.conftest import HIGH, LOW, ROWS, NoCode, message

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("mlflow")]

SAVE = ROWS + (
    "import mlflow.sklearn, pandas\n"
    "from mlflow.models import infer_signature\n"
    "from sklearn.linear_model import LogisticRegression\n"
    "frame = pandas.DataFrame(rows, columns=list('abc'))\n"
    "model = LogisticRegression(max_iter=1000).fit(frame, classes)\n"
    "signature = infer_signature(frame, model.predict(frame))\n"
    "mlflow.sklearn.save_model(model, folder / 'model', signature=signature, input_example=frame[:2])\n"
)
PLAIN_JSON = {"Content_Type": "application/json"}


@pytest.fixture(scope="session")
def environment(pytestconfig: pytest.Config) -> Library:
    return library(pytestconfig, "mlflow-skinny", "pandas", "scikit-learn", "skops")


def test_the_scoring_protocol_of_mlflow(no_code: NoCode, environment: Library) -> None:
    environment.run(SAVE, no_code.model)
    score = no_code.serve("MLflow", environment)
    expected = {"predictions": [0, 1]}
    split = {"dataframe_split": {"columns": list("abc"), "data": [LOW, HIGH]}}
    records = [dict(zip("abc", row, strict=True)) for row in (LOW, HIGH)]
    assert score(split).json == expected
    assert score(split, path="/invocations", **PLAIN_JSON).json == expected
    assert score({"dataframe_records": records}).json == expected
    assert score({"instances": records}).json == expected
    assert score({"inputs": records}).json == expected
    assert score({"inputs": records, "params": {"unknown": 1}}).json == expected
    assert score("a,b,c\n3,2,0\n55,6,1\n", Content_Type="text/csv").json == expected
    assert "exactly one of the input fields" in message(score({"data": [LOW]}))
    assert "missing inputs ['b', 'c']" in message(score({"dataframe_records": [{"a": 1}]}))
    assert "valid JSON" in message(score("no json"))
    assert score(no_code.described()["example"]).status == 200


def test_a_failure_of_the_model_itself_is_502(no_code: NoCode, environment: Library) -> None:
    environment.run(
        ROWS
        + "import mlflow.pyfunc\n"
        + "class Broken(mlflow.pyfunc.PythonModel):\n"
        + "    def predict(self, context, model_input, params=None):\n"
        + "        raise KeyError('of its own')\n"
        + "mlflow.pyfunc.save_model(folder / 'model', python_model=Broken())\n",
        no_code.model,
    )
    answer = no_code.serve("MLflow", environment)({"inputs": [1.0]})
    assert (answer.status, answer.headers["x-ms-run-function-failed"]) == (502, "True")
