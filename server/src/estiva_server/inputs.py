"""What a request carries, as the argument of run(). Pure, apart from reading the body."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter
from typing import Any, NoReturn, Protocol
from urllib.parse import parse_qsl

Scope = Mapping[str, Any]
"""A request, with the keys of a WSGI environment."""

Reader = Callable[[Scope, bytes], Any]
"""Makes a request and its body the argument of run(), or its arguments by name; raises InputError."""

HEADERS_PARAMETER = "request_headers"
"""The parameter of run() that gets the request's headers, and no data."""
CHUNK = 64 * 1024


_JSON_LIKE = re.compile(r"application/.*\+json")
_KINDS = {
    bool: "true or false",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "a string",
    type(None): "null",
}


class Stream(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class InputError(Exception):
    """A request that run() is not called for: the HTTP status, and a sentence for the caller."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def read_body(scope: Scope, limit: int) -> bytes:
    """Raises InputError: 413 for more than `limit` bytes (never held in memory), 400 for a body cut short."""
    stream: Stream = scope["wsgi.input"]
    length = scope.get("CONTENT_LENGTH")
    if length is None:
        body = stream.read(limit + 1) if "HTTP_TRANSFER_ENCODING" in scope else b""
        if len(body) > limit:
            raise too_large(limit)
        return body
    if int(length) > limit:
        raise too_large(limit)
    body = stream.read()
    if len(body) < int(length):
        raise InputError(400, "The request ended before its body did.")
    return body


def too_large(limit: int) -> InputError:
    return InputError(413, f"The request body is larger than this service accepts ({limit:,} bytes).")


def discard(stream: Stream, limit: int) -> None:
    """Read and drop up to `limit` bytes: a client that still sends would not see the answer otherwise."""
    while limit > 0:
        chunk = stream.read(CHUNK)
        if not chunk:
            return
        limit -= len(chunk)


def body_text(body: bytes) -> str:
    """Raises InputError 400 when it is not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            400, f"The request body is not UTF-8: {error.reason} at byte {error.start}. Encode it as UTF-8."
        ) from error


def read_text(scope: Scope, body: bytes) -> str:
    """For a plain run(data): the body, or the query as JSON."""
    return query_text(scope["QUERY_STRING"]) if scope["REQUEST_METHOD"] == "GET" else body_text(body)


class ParameterReader:
    """For a run() with an input schema: the members of a JSON object, or of the query, by its parameters."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self._defaults = {parameter.name: parameter.default for parameter in parameters}

    def __call__(self, scope: Scope, body: bytes) -> dict[str, Any]:
        by_query = scope["REQUEST_METHOD"] == "GET"
        given = query_values(scope["QUERY_STRING"]) if by_query else json_object(scope, body)
        values = {name: given.get(name, default) for name, default in self._defaults.items()}
        missing = [name for name, value in values.items() if value is Parameter.empty]
        if missing:
            raise InputError(400, f"The request has no value for {', '.join(map(repr, missing))}.")
        return values


def json_object(scope: Scope, body: bytes) -> dict[str, Any]:
    """Raises InputError: 415 for another content type than JSON's, 400 for what is no JSON object."""
    content_type = scope.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if not (content_type == "application/json" or _JSON_LIKE.fullmatch(content_type)):
        raise InputError(415, "The Content-Type of the request must be application/json.")
    return parse_object(body)


def parse_object(body: bytes | str) -> dict[str, Any]:
    """Raises InputError 400 for what is no JSON object."""
    if not body:
        raise InputError(400, "The request body is empty, but must be a JSON object.")
    try:
        content = json.loads(body)
    except RecursionError as error:
        raise InputError(400, "The request body is nested too deep.") from error
    except ValueError as error:
        raise InputError(400, f"The request body is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise InputError(400, f"The request body must be a JSON object, not {_KINDS[type(content)]}.")
    return content


def query_text(query: str) -> str:
    """The query string as the text of a JSON object."""
    return json.dumps(query_values(query))


def query_values(query: str) -> dict[str, Any]:
    """The query's values, decoded as JSON where they are JSON; a repeated name has a list."""
    values: dict[str, list[Any]] = {}
    for name, text in parse_qsl(query, keep_blank_values=True, errors=_ENCODED):
        values.setdefault(name, []).append(_decode(text))
    return {name: given[0] if len(given) == 1 else given for name, given in values.items()}


def _stay_encoded(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8, as the query has them: %FF."""
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"%{byte:02X}" for byte in error.object[error.start : error.end]), error.end


_ENCODED = "estiva_server.percent"
codecs.register_error(_ENCODED, _stay_encoded)


def header_names(scope: Scope) -> dict[str, str]:
    """The request's headers by their usual names, "Content-Type"."""
    names = {key: key.removeprefix("HTTP_") for key in scope if key.startswith(("HTTP_", "CONTENT_"))}
    return {
        name.replace("_", "-").title(): scope[key]
        for key, name in names.items()
        if scope[key] or key[0] == "H"
    }


def _decode(text: str) -> Any:
    """As JSON if it is JSON, else as it stands. (RecursionError: brackets nested thousands deep.)"""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(constant: str) -> NoReturn:
    """NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(constant)
