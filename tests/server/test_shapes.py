from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva_server.shapes import describe


@pytest.mark.parametrize(
    ("data", "described"),
    [
        ({"data": [[1, 2, 3], [4.5, 5, 6]]}, "an object with data: a list of 2 lists of 3 numbers"),
        ({"data": [[1], [1, 2]]}, "an object with data: a list of 2 lists of several lengths or kinds"),
        ({"a": "x", "b": None}, "an object with a: a string, b: null"),
        ({}, "an empty object"),
        ([], "an empty list"),
        (["a", 1], "a list of 2 items of several kinds"),
        ([{"a": 1}], "a list of 1 object"),
        ([["x"]], "a list of 1 list of 1 string"),
        ("text", "a string"),
        (5, "a number"),
        (True, "a boolean"),
    ],
)
def test_json(data: Any, described: str) -> None:
    assert describe(json.dumps(data)) == described


def test_what_is_no_json() -> None:
    assert describe("a=1") == "a body of 3 characters that is not JSON"
    assert describe("") == "an empty body"
    assert describe("1" * 2_000_000) == "a body of 2,000,000 characters"
    assert describe("[" * 100_000) == "a body of 100,000 characters that is not JSON"


def test_what_a_schema_made_of_it() -> None:
    assert describe({"data": np.ones((2, 3))}) == "an object with data: a ndarray of shape (2, 3)"


def test_much_is_said_in_few_words() -> None:
    wide = describe(json.dumps({f"column {number}": number for number in range(1000)}))
    assert wide.endswith("and 992 more")
    assert len(wide) < 1000
    deep = describe(json.dumps({"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}))
    assert (
        deep
        == "an object with a: an object with b: an object with c: an object with d: an object of 1 members"
    )


json_data = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_data)
def test_values_are_never_told(data: Any) -> None:
    assert "planted" not in describe(json.dumps([data, "planted", {"a": "planted"}]))
    assert describe(data)
