"""Answers requests with an object that has predict(), as scikit-learn and those who follow it make them."""

from __future__ import annotations

import logging
from typing import Any

from estiva_server.inputs import InputError
from estiva_server.nocode.requests import PREDICT, read_request
from estiva_server.nocode.tables import Columns
from estiva_server.schema import Schema, anything

log = logging.getLogger("estiva_server")

_METHODS = (PREDICT, "predict_proba", "predict_log_proba", "decision_function", "transform")


class Estimator:
    """`takes_frames`: the model wants a DataFrame where it knows its columns."""

    def __init__(self, model: Any, columns: Columns, *, takes_frames: bool = False) -> None:
        self._model = model
        self._columns = columns
        self._shape = columns.frame if takes_frames else columns.table
        self.methods = tuple(name for name in _METHODS if callable(getattr(model, name, None)))

    def answer(self, text: str) -> dict[str, Any]:
        """{"predict": [...]}, whatever the method. Raises InputError 400 for data that the model refuses."""
        request = read_request(text, self.methods)
        table = self._shape(request.data)
        try:
            result = getattr(self._model, request.method)(table)
        except ValueError as error:
            # What estimators raise for data of a wrong kind: texts among numbers, NaN where none may be.
            log.warning("the model refused the data of a request: %s", error)
            raise InputError(400, f"The model refuses the data: {error}") from error
        return {PREDICT: plain(result)}

    def schema(self) -> Schema:
        data = {"type": "array", "items": {}, "description": "Rows: lists of values, or objects by column."}
        method = {"type": "string", "enum": list(self.methods), "default": self.methods[0]}
        return anything(
            input={
                "type": "object",
                "required": ["data"],
                "properties": {"data": data, "method": method},
                "example": {"data": self._columns.example()},
            },
            output={"type": "object", "properties": {PREDICT: {"type": "array", "items": {}}}},
        )


def columns_of(model: Any) -> Columns:
    """What an estimator learned of its columns when it was fitted."""
    names = getattr(model, "feature_names_in_", None)
    return Columns(
        names=() if names is None else tuple(map(str, names)), count=getattr(model, "n_features_in_", None)
    )


def plain(result: Any) -> Any:
    """As JSON has it; a sparse matrix whole."""
    if hasattr(result, "toarray"):
        result = result.toarray()
    return result.tolist() if hasattr(result, "tolist") else list(result)
