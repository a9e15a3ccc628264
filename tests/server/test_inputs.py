from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva_server.inputs import InputError, body_text, discard, header_names, query_text, read_body

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
# What UTF-8 can encode: no lone surrogates.
TEXT = st.text(st.characters(codec="utf-8"))


def scope(body: bytes, *, chunked: bool = False, length: int | None = None) -> dict[str, Any]:
    head = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {"CONTENT_LENGTH": str(length or len(body))}
    return {"wsgi.input": io.BytesIO(body), **head}


@given(st.binary(max_size=100), st.booleans())
def test_a_body_up_to_the_limit_is_read_whole(body: bytes, chunked: bool) -> None:
    assert read_body(scope(body, chunked=chunked), 100) == body


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(chunked: bool) -> None:
    request = scope(b"x" * 1_000_000, chunked=chunked)
    with pytest.raises(InputError, match=r"larger than this service accepts \(1,000 bytes\)") as caught:
        read_body(request, 1000)
    assert caught.value.status == 413
    assert request["wsgi.input"].tell() <= 1001


def test_a_body_cut_short_never_reaches_the_script() -> None:
    with pytest.raises(InputError, match="ended before its body did") as caught:
        read_body(scope(b"12345", length=10), 100)
    assert caught.value.status == 400


def test_no_body() -> None:
    assert read_body({"wsgi.input": io.BytesIO(b"next request")}, 100) == b""


def test_discarding_has_a_bound() -> None:
    stream = io.BytesIO(b"x" * 1_000_000)
    discard(stream, 100_000)
    assert 100_000 <= stream.tell() < 200_000


@given(TEXT)
def test_utf8_is_decoded(text: str) -> None:
    assert body_text(text.encode()) == text


@given(st.binary())
def test_any_body_is_text_or_refused(body: bytes) -> None:
    try:
        assert body_text(body).encode() == body
    except InputError as error:
        assert error.status == 400  # noqa: PT017  some bodies are text


def test_what_is_not_utf8_is_said_with_its_place() -> None:
    with pytest.raises(InputError, match=r"not UTF-8: invalid start byte at byte 2"):
        body_text(b"ab\xff")


@given(st.dictionaries(TEXT, JSON))
def test_query_values_are_decoded_as_json(values: dict[str, Any]) -> None:
    query = urlencode({name: json.dumps(value) for name, value in values.items()})
    assert json.loads(query_text(query)) == values


@given(st.lists(st.integers(), min_size=2))
def test_repeated_names_become_a_list(numbers: list[int]) -> None:
    assert json.loads(query_text("&".join(f"n={number}" for number in numbers))) == {"n": numbers}


@given(st.text())
def test_any_query_becomes_a_json_object(query: str) -> None:
    assert isinstance(json.loads(query_text(query)), dict)


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("", {}),
        ("name=Ann", {"name": "Ann"}),
        ("name=", {"name": ""}),
        ("a=1&a=two", {"a": [1, "two"]}),
        ("x=NaN&y=-Infinity", {"x": "NaN", "y": "-Infinity"}),
        (f"x={'[' * 100_000}", {"x": "[" * 100_000}),
        (f"x={'9' * 5000}", None),
        (f"city={quote('Köln')}", {"city": "Köln"}),
    ],
)
def test_queries(query: str, data: dict[str, Any] | None) -> None:
    if data is not None:
        assert json.loads(query_text(query)) == data
    else:
        query_text(query)  # more digits than Python converts: no error, either as number or as text


def test_headers_have_their_usual_names() -> None:
    request = {"HTTP_X_CORRELATION_ID": "7", "CONTENT_TYPE": "text/csv", "PATH_INFO": "/score"}
    assert header_names(request) == {"X-Correlation-Id": "7", "Content-Type": "text/csv"}


def test_an_empty_content_type_is_none() -> None:
    assert header_names({"CONTENT_TYPE": "", "HTTP_X_A": ""}) == {"X-A": ""}


def test_what_is_not_utf8_in_a_query_stays_encoded() -> None:
    assert json.loads(query_text("a=%FF&b=%C3%B6%c3x&%fe=1")) == {"a": "%FF", "b": "ö%C3x", "%FE": 1}
