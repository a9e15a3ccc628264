"""The requests that the scripts for tables take: {"data": rows, "method": "predict"}."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from estiva_server.inputs import InputError, parse_object

PREDICT = "predict"


@dataclass(frozen=True)
class Request:
    data: list[Any]
    """Rows: lists of values, or objects by the names of the columns."""
    method: str


def read_request(text: str, methods: Sequence[str]) -> Request:
    """Raises InputError 400 for what is no such request, or asks for another method than `methods`."""
    content = parse_object(text)
    data, method = content.get("data"), content.get("method", PREDICT)
    if not isinstance(data, list) or not data:
        raise InputError(400, 'The request must have "data": a list of rows, such as {"data": [[1, 2, 3]]}.')
    if method not in methods:
        raise InputError(400, f"This model has no method {method!r}; it has {', '.join(methods)}.")
    return Request(data, method)
