"""Serves a folder that MLflow wrote (one with a file MLmodel) by MLflow's own scoring protocol.

{"dataframe_split": ...}, {"dataframe_records": ...}, {"instances": ...} or {"inputs": ...}, with "params"
beside it if the model takes any, or text/csv -> {"predictions": ...}. At /invocations as well as at /score.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from estiva_server.inputs import InputError
from estiva_server.nocode import model
from estiva_server.schema import anything, describe
from estiva_server.script import StartError, also_at

_CSV = "text/csv"
_EXAMPLE_FILES = ("serving_input_example.json",)

loaded: Any
protocol: Any
refused: type[Exception]


def init() -> None:
    global loaded, protocol, refused
    pyfunc = model.require("mlflow.pyfunc", "mlflow")
    protocol = model.require("mlflow.pyfunc.scoring_server", "mlflow")
    refused = model.require("mlflow.exceptions", "mlflow").MlflowException
    loaded = pyfunc.load_model(str(_folder()))
    describe(run, anything(input=_input(), output={"type": "object", "properties": {"predictions": {}}}))


@also_at("/invocations")
def run(data: str, request_headers: Mapping[str, str]) -> Any:
    """Anything but CSV is taken for JSON, as by all services here."""
    is_csv = request_headers.get("Content-Type", "").startswith(_CSV)
    try:
        answer = protocol.invocations(
            data, _CSV if is_csv else "application/json", loaded, loaded.metadata.get_input_schema()
        )
    except refused as error:
        cause = error.__context__
        if isinstance(cause, Exception) and not isinstance(cause, (refused, ValueError)):
            raise cause from None  # the model's own failure, in which MLflow sees a bad request
        raise InputError(400, str(getattr(error, "message", error))) from error
    if answer.status != 200:
        raise InputError(answer.status, answer.response)
    return json.loads(answer.response)


def _folder() -> Any:
    """The folder with MLmodel: what was registered, or somewhere in it."""
    found = sorted(model.folder().rglob("MLmodel"), key=lambda path: len(path.parts))
    if not found:
        raise StartError("The model has no file MLmodel: it is no folder that MLflow wrote.")
    return found[0].parent


def _input() -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "description": "As MLflow's scoring protocol has it."}
    for name in _EXAMPLE_FILES:
        if (_folder() / name).is_file():
            schema["example"] = json.loads((_folder() / name).read_bytes())
            return schema
    columns = loaded.metadata.get_input_schema()
    if columns is not None and columns.has_input_names():
        schema["example"] = {"dataframe_records": [dict.fromkeys(columns.input_names(), 0)]}
    return schema
