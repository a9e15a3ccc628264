from __future__ import annotations

import base64

import numpy as np
import pytest

from tests.libraries import Library, library
from tests.server.nocode.conftest import HIGH, LOW, ROWS, NoCode, message

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("onnx")]

FIT = ROWS + (
    "import numpy\n"
    "from skl2onnx import to_onnx\n"
    "from sklearn.linear_model import LogisticRegression\n"
    "rows = numpy.array(rows, dtype='float32')\n"
    "model = LogisticRegression(max_iter=1000).fit(rows, classes)\n"
    "made = to_onnx(model, rows[:1], options={'zipmap': sys.argv[2] == 'maps'})\n"
    "(folder / 'model.onnx').write_bytes(made.SerializeToString())\n"
)


@pytest.fixture(scope="session")
def environment(pytestconfig: pytest.Config) -> Library:
    return library(pytestconfig, "onnxruntime", "skl2onnx")


def test_the_json_of_onnx_runtime_server(no_code: NoCode, environment: Library) -> None:
    environment.run(FIT, no_code.model, "tensors")
    score = no_code.serve("Onnx", environment)
    raw = base64.b64encode(np.array([LOW, HIGH], "<f4").tobytes()).decode()
    tensor = {"dims": ["2", "3"], "dataType": 1, "rawData": raw}
    outputs = score({"inputs": {"X": tensor}}).json["outputs"]
    label, probabilities = outputs["label"], outputs["probabilities"]
    assert (label["dims"], label["dataType"]) == (["2"], 7)
    assert np.frombuffer(base64.b64decode(label["rawData"]), "<i8").tolist() == [0, 1]
    assert (probabilities["dims"], probabilities["dataType"]) == (["2", "2"], 1)
    typed = {"dims": [1, 3], "dataType": "FLOAT", "floatData": HIGH}
    filtered = score({"inputs": {"X": typed}, "outputFilter": ["label"]}).json["outputs"]
    assert list(filtered) == ["label"]


def test_plain_lists(no_code: NoCode, environment: Library) -> None:
    environment.run(FIT, no_code.model, "tensors")
    score = no_code.serve("Onnx", environment)
    assert score({"inputs": {"X": [LOW, HIGH]}}).json["outputs"]["label"] == [0, 1]
    assert score({"data": [HIGH], "outputFilter": ["label"]}).json == {"outputs": {"label": [1]}}
    assert score(no_code.described()["example"]).status == 200
    assert "no input 'Y'; it takes 'X'" in message(score({"inputs": {"Y": [LOW]}}))
    assert "no output 'y'; it gives 'label'" in message(score({"data": [LOW], "outputFilter": ["y"]}))
    assert "Got: 2 Expected: 3" in message(score({"data": [[1, 2]]}))
    assert "could not convert" in message(score({"data": [["a", "b", "c"]]}))


def test_an_output_that_is_no_tensor(no_code: NoCode, environment: Library) -> None:
    environment.run(FIT, no_code.model, "maps")
    score = no_code.serve("Onnx", environment)
    (probabilities,) = score({"data": [HIGH]}).json["outputs"]["output_probability"]
    assert probabilities["1"] > 0.9
    typed = {"dims": [1, 3], "dataType": 1, "floatData": HIGH}
    assert "'output_probability' is no tensor" in message(score({"inputs": {"X": typed}}))
