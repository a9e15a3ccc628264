"""Tensors in JSON as ONNX Runtime Server wrote them (TensorProto in protobuf's JSON), and in plain lists.

{"dims": ["1", "3"], "dataType": 1, "rawData": "AACAPw..."}: the bytes little-endian and in base64; or the
values in a field for their type, such as "floatData": [1.0, 2.0, 3.0].
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from estiva_server.inputs import InputError

# ONNX's number of each element type: its name, numpy's, ONNX Runtime's, and the field that holds its values.
_TYPES = {
    1: ("FLOAT", "float32", "float", "floatData"),
    2: ("UINT8", "uint8", "uint8", "int32Data"),
    3: ("INT8", "int8", "int8", "int32Data"),
    4: ("UINT16", "uint16", "uint16", "int32Data"),
    5: ("INT16", "int16", "int16", "int32Data"),
    6: ("INT32", "int32", "int32", "int32Data"),
    7: ("INT64", "int64", "int64", "int64Data"),
    8: ("STRING", "object", "string", "stringData"),
    9: ("BOOL", "bool", "bool", "int32Data"),
    10: ("FLOAT16", "float16", "float16", "int32Data"),
    11: ("DOUBLE", "float64", "double", "doubleData"),
    12: ("UINT32", "uint32", "uint32", "uint64Data"),
    13: ("UINT64", "uint64", "uint64", "uint64Data"),
}
_NUMBERS = {name: number for number, (name, *_) in _TYPES.items()}
_NUMPY = {runtime: numpy for _, numpy, runtime, _ in _TYPES.values()}
_STRING, _FLOAT16 = 8, 10


def numpy_type(runtime_type: str) -> str | None:
    """ "tensor(float)" -> "float32"; None for what is no tensor of a known type."""
    return _NUMPY.get(runtime_type.removeprefix("tensor(").removesuffix(")"))


def is_tensor(value: Any) -> bool:
    return isinstance(value, Mapping) and "dataType" in value


def from_json(name: str, tensor: Mapping[str, Any]) -> Any:
    """The array. Raises InputError 400 that names the input."""
    given = tensor["dataType"]
    number = _NUMBERS.get(given) if isinstance(given, str) else given
    if not isinstance(number, int) or number not in _TYPES:
        raise InputError(400, f"Input {name!r}: dataType {given!r} is none of {_known()}.")
    try:
        shape = [int(length) for length in tensor.get("dims", ())]
        return _values(tensor, number).reshape(shape)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(400, f"Input {name!r} is no tensor: {error}.") from error


def to_json(array: Any) -> dict[str, Any]:
    """As ONNX Runtime Server answers: 64-bit numbers, which its dims are, as texts."""
    number = next(n for n, (_, numpy, *_) in _TYPES.items() if numpy == array.dtype.name)
    answer: dict[str, Any] = {"dims": [str(length) for length in array.shape], "dataType": number}
    if number == _STRING:
        texts = (str(text).encode() for text in array.ravel())
        return {**answer, "stringData": [base64.b64encode(text).decode() for text in texts]}
    ordered = array.astype(array.dtype.newbyteorder("<"))
    return {**answer, "rawData": base64.b64encode(ordered.tobytes()).decode()}


def from_lists(name: str, lists: Any, dtype: str) -> Any:
    """The array of nested lists, in the type that the model takes. Raises InputError 400."""
    import numpy as np

    try:
        return np.array(lists, dtype=dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(400, f"Input {name!r} cannot be read as {dtype}: {error}.") from error


def _values(tensor: Mapping[str, Any], number: int) -> Any:
    import numpy as np

    _, dtype, _, field = _TYPES[number]
    if "rawData" in tensor and number != _STRING:
        raw = base64.b64decode(tensor["rawData"], validate=True)
        stored = np.dtype(dtype).newbyteorder("<")
        return np.frombuffer(raw, dtype=stored).astype(dtype)
    if field not in tensor:
        raise ValueError(f"it has neither rawData nor {field}")
    values = tensor[field]
    if number == _STRING:
        texts = [base64.b64decode(text, validate=True).decode() for text in values]
        return np.array(texts, dtype=object)
    if number == _FLOAT16:  # its bits, as the protocol has it
        return np.array(values, dtype="uint16").view("float16")
    return np.array([_number(value, dtype) for value in values], dtype=dtype)


def _number(value: Any, dtype: str) -> float | int:
    """Protobuf's JSON has 64-bit integers, NaN and Infinity as texts."""
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    return int(value) if "int" in dtype else float(value)


def _known() -> str:
    return ", ".join(f"{number} ({name})" for number, (name, *_) in _TYPES.items())
