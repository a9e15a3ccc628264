from __future__ import annotations

import datetime as dt
import decimal
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva_server.results import ResultError, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_what_json_holds_comes_back(result: Any) -> None:
    assert json.loads(encode(result)) == result


def test_a_str_is_a_json_string_even_when_it_is_json() -> None:
    assert encode('{"a": 1}') == b'"{\\"a\\": 1}"'


class Frame:
    def to_dict(self) -> None: ...


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (np.zeros(2), r"result is of type numpy\.ndarray\. Return its \.tolist\(\) instead"),
        ({"y": [1, np.float32(1)]}, r"result\['y'\]\[1\] is of type numpy\.float32\. Return its \.tolist"),
        ({"y": np.int64(1)}, r"result\['y'\] is of type numpy\.int64"),
        (Frame(), r"Frame\. Return its \.to_dict\(orient="),
        ((1, {2}), r"result\[1\] is of type set\. Return list\(\.\.\.\) of it"),
        (b"x", r"result is of type bytes\. Return its \.decode\(\)"),
        (dt.date(2026, 1, 1), r"datetime\.date\. Return its \.isoformat\(\)"),
        (decimal.Decimal(1), r"decimal\.Decimal\. Return str, numbers"),
        ({(1, 2): 3}, r"a key of result is of type tuple"),
        (CYCLE, r"cannot hold: Circular reference"),
        (object(), r"result is of type object\. Return str, numbers"),
    ],
)
def test_what_json_cannot_hold_is_named_with_its_remedy(result: Any, said: str) -> None:
    with pytest.raises(ResultError, match=said):
        encode(result)
