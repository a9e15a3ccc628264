"""Rows of a request as what models take: an array, or a DataFrame where the model knows its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from estiva_server.inputs import InputError


@dataclass(frozen=True)
class Columns:
    """What a model says of its input."""

    names: tuple[str, ...] = ()
    """Empty if it does not name them."""
    count: int | None = None
    """None if it does not say."""

    def table(self, data: list[Any]) -> Any:
        """The rows as an array, columns in the model's order. Raises InputError 400 if they do not fit."""
        rows = self._in_order(data)
        self._check(rows)
        return array(rows)

    def frame(self, data: list[Any]) -> Any:
        """Like `table`, as a DataFrame with the model's names, where it has names and there is pandas."""
        pandas = _pandas()
        if pandas is None or not self.names:
            return self.table(data)
        rows = self._in_order(data)
        self._check(rows)
        return pandas.DataFrame(rows, columns=list(self.names))

    def example(self) -> list[Any]:
        if self.names:
            return [dict.fromkeys(self.names, 0)]
        return [[0] * (self.count or 1)]

    def _in_order(self, data: list[Any]) -> list[Any]:
        if not any(isinstance(row, Mapping) for row in data):
            return data
        if not self.names:
            raise InputError(
                400,
                "This model does not name its columns: send each row as a list of values, in their order.",
            )
        return [self._values(row, number) for number, row in enumerate(data)]

    def _values(self, row: Any, number: int) -> list[Any]:
        missing = [name for name in self.names if not (isinstance(row, Mapping) and name in row)]
        if missing:
            raise InputError(400, f"Row {number} of data has no value for {', '.join(map(repr, missing))}.")
        return [row[name] for name in self.names]

    def _check(self, rows: list[Any]) -> None:
        if self.count is None:
            return
        for number, row in enumerate(rows):
            if not isinstance(row, list) or len(row) != self.count:
                found = f"{len(row)} values" if isinstance(row, list) else "no list of values"
                raise InputError(400, f"Row {number} of data is {found}, but the model takes {self.count}.")


def array(rows: Sequence[Any]) -> Any:
    """Numbers as numbers, null as NaN; beside texts, everything as it came."""
    import numpy as np

    try:
        found = np.array(rows)
    except ValueError as error:
        raise InputError(400, "The rows of data differ in length.") from error
    if found.dtype.kind in "US":
        return np.array(rows, dtype=object)
    return found.astype(float) if _has_null(found) else found


def _has_null(found: Any) -> bool:
    """Whether it is of numbers and nulls."""
    return found.dtype.kind == "O" and all(isinstance(one, int | float | None) for one in found.flat)


def _pandas() -> Any:
    """Of the environment, if it has it."""
    try:
        import pandas as pd
    except ModuleNotFoundError:
        return None
    return pd
