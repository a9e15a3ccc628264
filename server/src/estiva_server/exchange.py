"""A request and the way to answer it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from estiva_server import contract
from estiva_server.inputs import Scope
from estiva_server.replies import JSON, RUN_SUCCEEDED, Body, Header
from estiva_server.streams import Stream

ID_LENGTH = 100
"""A request's id may have so many characters."""

_CLIENT_ID_HEADER = "x-ms-client-request-id"
_LEGACY_ID_HEADER = "x-ms-request-id"
_IDS = (
    ("HTTP_X_REQUEST_ID", contract.REQUEST_ID_HEADER),
    ("HTTP_X_MS_REQUEST_ID", _LEGACY_ID_HEADER),
    ("HTTP_X_MS_CLIENT_REQUEST_ID", _CLIENT_ID_HEADER),
)


_VARIANTS = "89ab"


def new_id() -> str:
    """A random UUID, version 4 of RFC 9562, without the object that the standard library makes of it."""
    digits = os.urandom(16).hex()
    variant = _VARIANTS[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


class Response(NamedTuple):
    status: int
    headers: list[Header]
    body: Body


Answer = Callable[[Response], None]


class Exchange:
    """Answers carry the request's ids: what the caller sent to find it again, or a new one."""

    def __init__(self, scope: Scope, answer: Answer, marks: Sequence[Header] = ()) -> None:
        """`marks` are headers that the answer to any request has."""
        self.scope = scope
        self.id: str = scope.get("HTTP_X_REQUEST_ID") or new_id()
        self.count: Callable[[int], None] | None = None
        """Told the status of the answer; of the first only."""
        self.stream: Stream | None = None
        """The answer's body, if it is sent part by part."""
        self._answer = answer
        client = scope.get("HTTP_X_MS_CLIENT_REQUEST_ID", "")
        legacy = scope.get("HTTP_X_MS_REQUEST_ID", "")
        client = client or legacy
        self.marks = [*marks, (contract.REQUEST_ID_HEADER, self.id)]
        """Headers that every answer to it has."""
        self.marks.append((_LEGACY_ID_HEADER, legacy or client or self.id))
        if client:
            self.marks.append((_CLIENT_ID_HEADER, client))
        if "HTTP_TRACEID" in scope:
            self.marks.append(("traceid", scope["HTTP_TRACEID"]))

    @property
    def answered(self) -> bool:
        """Whether a request to score has been answered."""
        return self.count is None

    def reply(self, status: int, body: Body, *headers: Header) -> None:
        """Returns when the answer is handed over; a stream, when it has ended."""
        count, self.count = self.count, None
        if count is not None:
            count(status)
        self._answer(Response(status, [*headers, *self.marks], body))

    def fail(
        self, status: int, message: str, *headers: Header, failed: Header = RUN_SUCCEEDED, **details: str
    ) -> None:
        """Answer with {"message": ...}."""
        content = json.dumps({"message": message, **details}).encode()
        self.reply(status, content, JSON, failed, *headers)

    def ids_fit(self) -> bool:
        """Answer 431 and return False if an id is too long to be written to the log and sent back."""
        for key, name in _IDS:
            if len(self.scope.get(key, "")) > ID_LENGTH:
                self.marks = [one for one in self.marks if len(one[1]) <= ID_LENGTH]
                self.fail(431, f"The header {name} is longer than {ID_LENGTH} characters.")
                return False
        return True
