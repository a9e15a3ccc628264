"""Serves an ONNX model with ONNX Runtime, by the JSON of ONNX Runtime Server or in plain lists.

{"inputs": {"x": {"dims": [1, 3], "dataType": 1, "rawData": "..."}}, "outputFilter": ["y"]} is answered in the
same form, {"outputs": {"y": {...}}}; {"inputs": {"x": [[1, 2, 3]]}} with lists. For a model of one input,
{"data": [[1, 2, 3]]} does, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from estiva_server.inputs import InputError, parse_object
from estiva_server.nocode import model, onnx_tensors
from estiva_server.nocode.estimators import plain
from estiva_server.schema import Schema, anything, describe

session: Any
invalid: type[Exception]
inputs: dict[str, Any]
"""What the model takes, by name; each with its type and shape."""
outputs: list[str]


def init() -> None:
    global session, invalid, inputs, outputs
    library = model.require("onnxruntime", "onnxruntime")
    invalid = model.require("onnxruntime.capi.onnxruntime_pybind11_state", "onnxruntime").InvalidArgument
    path = str(model.find_file((".onnx", ".ort")))
    session = library.InferenceSession(path, providers=library.get_available_providers())
    inputs = {one.name: one for one in session.get_inputs()}
    outputs = [one.name for one in session.get_outputs()]
    describe(run, _schema())


def run(data: str) -> dict[str, Any]:
    request = parse_object(data)
    given = _inputs(request)
    wanted = _wanted(request.get("outputFilter"))
    feeds = {name: _feed(name, value) for name, value in given.items()}
    try:
        results = dict(zip(wanted, session.run(wanted, feeds), strict=True))
    except (invalid, ValueError) as error:
        raise InputError(400, f"The model refuses the inputs: {error}") from error
    as_tensors = any(map(onnx_tensors.is_tensor, given.values()))
    return {
        "outputs": _tensors(results) if as_tensors else {name: plain(one) for name, one in results.items()}
    }


def _inputs(request: Mapping[str, Any]) -> Mapping[str, Any]:
    given = request.get("inputs")
    if given is None and "data" in request and len(inputs) == 1:
        return dict.fromkeys(inputs, request["data"])
    if not isinstance(given, Mapping):
        raise InputError(400, f'The request must have "inputs": an object with {_names(inputs)}.')
    unknown = given.keys() - inputs.keys()
    if unknown:
        raise InputError(400, f"The model has no input {_names(unknown)}; it takes {_names(inputs)}.")
    missing = inputs.keys() - given.keys()
    if missing:
        raise InputError(400, f"The request has no input {_names(missing)}.")
    return given


def _wanted(output_filter: Any) -> list[str]:
    """All outputs unless some are asked for."""
    if not output_filter:
        return outputs
    unknown = [name for name in output_filter if name not in outputs]
    if unknown:
        raise InputError(400, f"The model has no output {_names(unknown)}; it gives {_names(outputs)}.")
    return list(output_filter)


def _feed(name: str, value: Any) -> Any:
    if onnx_tensors.is_tensor(value):
        return onnx_tensors.from_json(name, value)
    dtype = onnx_tensors.numpy_type(inputs[name].type)
    if dtype is None:
        raise InputError(400, f"Input {name!r} is a {inputs[name].type}, which lists cannot say.")
    return onnx_tensors.from_lists(name, value, dtype)


def _tensors(results: Mapping[str, Any]) -> dict[str, Any]:
    others = [name for name, one in results.items() if not hasattr(one, "dtype")]
    if others:
        raise InputError(
            400,
            f"Output {_names(others)} is no tensor, which this form cannot say: choose others with "
            "outputFilter, or send the inputs as plain lists.",
        )
    return {name: onnx_tensors.to_json(one) for name, one in results.items()}


def _schema() -> Schema:
    properties = {
        name: {"type": "array", "items": {}, "description": _shape(one)} for name, one in inputs.items()
    }
    return anything(
        input={
            "type": "object",
            "required": ["inputs"],
            "properties": {
                "inputs": {"type": "object", "properties": properties},
                "outputFilter": {"type": "array", "items": {"type": "string", "enum": outputs}},
            },
            "example": {"inputs": {name: _sample(one) for name, one in inputs.items()}},
        },
        output={"type": "object", "properties": {"outputs": {"type": "object"}}},
    )


def _shape(one: Any) -> str:
    """Lengths that any number will do for have a name, or none."""
    return f"{one.type} of shape {[length if length is not None else 'any' for length in one.shape]}"


def _sample(one: Any) -> Any:
    value: Any = "" if "string" in one.type else 0
    for length in reversed(one.shape):
        value = [value] * (length if isinstance(length, int) and length > 0 else 1)
    return value


def _names(names: Any) -> str:
    return ", ".join(map(repr, sorted(names)))
