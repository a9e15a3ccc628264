from __future__ import annotations

import pytest

from estiva.control.nocode import framework
from estiva.errors import UserErrorException
from estiva.records import File


def files(*paths: str) -> tuple[File, ...]:
    return tuple(File(path=path, sha256="a" * 64, size=1) for path in paths)


@pytest.mark.parametrize(
    ("said", "paths", "expected"),
    [
        ("ScikitLearn", ["m.pkl"], "ScikitLearn"),
        ("scikitlearn", ["m.pkl"], "ScikitLearn"),
        ("ScikitLearn", ["m/MLmodel", "m/model.pkl"], "ScikitLearn"),
        (None, ["m/MLmodel", "m/model.pkl"], "MLflow"),
        ("Custom", ["m/MLmodel"], "MLflow"),
        (None, ["m.onnx"], "Onnx"),
    ],
)
def test_what_is_said_wins_over_what_the_files_are(said: str | None, paths: list[str], expected: str) -> None:
    assert framework(said, files(*paths), "m:1") == expected


@pytest.mark.parametrize(
    ("said", "paths", "told"),
    [
        ("TensorFlow", ["m.pb"], "not possible for the framework 'TensorFlow' of m:1"),
        (None, ["m.pkl"], "m:1 is registered without one"),
        ("Custom", ["a.onnx", "b.onnx"], "m:1 is registered without one"),
    ],
)
def test_a_framework_that_is_not_supported(said: str | None, paths: list[str], told: str) -> None:
    with pytest.raises(UserErrorException) as caught:
        framework(said, files(*paths), "m:1")
    assert told in caught.value.message
    assert "Supported are ScikitLearn, Onnx, XGBoost, LightGBM, MLflow" in caught.value.message
