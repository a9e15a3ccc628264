"""What a case is: one request to both servers, and the differences that are intended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.server.conformance.differences import Difference

Headers = Mapping[str, str] | Iterable[tuple[str, str]]

JSON: Mapping[str, str] = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Case:
    name: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | tuple[bytes, ...] = b""
    """Several parts are sent chunked."""
    differs: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Group:
    """Requests to one pair of servers, which serve the same files."""

    name: str
    files: Mapping[str, str]
    cases: tuple[Case, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    entry_script: str = "score.py"


def post(
    name: str,
    body: str | bytes | tuple[bytes, ...] = b"",
    headers: Headers = (),
    *differs: Difference,
    path: str = "/score",
) -> Case:
    sent = body.encode() if isinstance(body, str) else body
    return Case(name, "POST", path, _pairs(headers), sent, differs)


def get(name: str, path: str, headers: Headers = (), *differs: Difference) -> Case:
    return Case(name, "GET", path, _pairs(headers), differs=differs)


def ask(
    method: str, path: str = "/score", headers: Headers = (), *differs: Difference, name: str = ""
) -> Case:
    """A request without a body, of any method."""
    return Case(name or f"{method} {path}", method, path, _pairs(headers), differs=differs)


def _pairs(headers: Headers) -> tuple[tuple[str, str], ...]:
    return tuple(headers.items() if isinstance(headers, Mapping) else headers)
