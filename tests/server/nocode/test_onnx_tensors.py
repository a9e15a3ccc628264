from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from estiva_server.inputs import InputError
from estiva_server.nocode.onnx_tensors import from_json, from_lists, numpy_type, to_json

TYPES = ["float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "bool", "float16", "float64"]


@pytest.mark.parametrize("dtype", [*TYPES, "uint32", "uint64"])
def test_what_is_written_reads_back(dtype: str) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    tensor = to_json(array)
    assert tensor["dims"] == ["2", "3"]
    read = from_json("x", tensor)
    assert read.dtype == array.dtype
    assert read.tolist() == array.tolist()


def test_texts() -> None:
    array = np.array(["grün", ""], dtype=object)
    tensor = to_json(array)
    assert tensor["stringData"] == [base64.b64encode("grün".encode()).decode(), ""]
    assert from_json("x", tensor).tolist() == ["grün", ""]


@pytest.mark.parametrize(
    ("kind", "field", "values", "expected"),
    [
        (1, "floatData", [1.5, "NaN", "Infinity"], [1.5, np.nan, np.inf]),
        (6, "int32Data", [1, 2, 3], [1, 2, 3]),
        ("INT64", "int64Data", ["9007199254740993", 2, 3], [9007199254740993, 2, 3]),
        (13, "uint64Data", ["18446744073709551615", 0, 1], [18446744073709551615, 0, 1]),
        (11, "doubleData", [0.1, 2, 3], [0.1, 2, 3]),
        (9, "int32Data", [0, 1, 1], [False, True, True]),
        (10, "int32Data", [0x3C00, 0, 0x4000], [1.0, 0.0, 2.0]),
    ],
)
def test_values_in_the_field_of_their_type(
    kind: int | str, field: str, values: list[Any], expected: list[Any]
) -> None:
    read = from_json("x", {"dims": [3], "dataType": kind, field: values})
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        ({"dataType": 99}, "dataType 99 is none of 1 (FLOAT)"),
        ({"dataType": 1, "dims": [1]}, "neither rawData nor floatData"),
        ({"dataType": 1, "dims": [5], "floatData": [1]}, "cannot reshape"),
        ({"dataType": 1, "dims": [1], "rawData": "!"}, "base64"),
        ({"dataType": 1, "dims": ["a"], "floatData": [1]}, "invalid literal"),
        ({"dataType": 1, "dims": [1], "rawData": "AAA="}, "multiple of element size"),
        ({"dataType": [1], "dims": [1], "floatData": [1]}, "is none of"),
        ({"dataType": 1, "dims": 1, "floatData": [1]}, "not iterable"),
        ({"dataType": 1, "dims": [1], "floatData": 1}, "not iterable"),
        ({"dataType": 7, "dims": [1], "int64Data": ["99999999999999999999"]}, "too"),
    ],
)
def test_what_is_no_tensor(tensor: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match="Input 'x'") as caught:
        from_json("x", tensor)
    assert said in str(caught.value)
    assert caught.value.status == 400


def test_lists_in_the_type_that_the_model_takes() -> None:
    assert numpy_type("tensor(float)") == "float32"
    assert numpy_type("seq(tensor(float))") is None
    assert from_lists("x", [[1, 2]], "float32").dtype == np.float32
    with pytest.raises(InputError, match="Input 'x' cannot be read as float32"):
        from_lists("x", [[1], [1, 2]], "float32")
