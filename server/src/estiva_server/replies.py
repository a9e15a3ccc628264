"""What run() returned, as the answer that is sent: JSON, a response of the script's own, or a stream."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Generator, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from estiva_server import contract, results
from estiva_server.event_loop import iterate
from estiva_server.results import ResultError
from estiva_server.streams import Stream

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as WerkzeugResponse

Header = tuple[str, str]
Body = bytes | Stream

JSON: Header = ("content-type", "application/json")
RUN_FAILED: Header = (contract.RUN_FAILED_HEADER, "True")
RUN_SUCCEEDED: Header = (contract.RUN_FAILED_HEADER, "False")

_PLAIN = (dict, list, str, int, float, bool, tuple)

# Said by the server itself, of the answer that it sends.
_OURS = frozenset(
    {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade"}
    | {contract.RUN_DURATION_HEADER, contract.RUN_FAILED_HEADER}
)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~\xa0-\ud7ff\ue000-\U0010ffff]*")


class Reply(NamedTuple):
    status: int
    headers: list[Header]
    body: Body


def make_reply(result: Any, request_id: str, marks: Iterable[Header]) -> Reply:
    """`marks` are headers that are added to it, and so not taken from the script.

    Raises ResultError, and what a generator raises before it yields its first item.
    """
    if result is None:
        return Reply(200, [JSON, RUN_SUCCEEDED], b"{}")  # as the official server has it
    if isinstance(result, _PLAIN):
        return Reply(200, [JSON, RUN_SUCCEEDED], results.encode(result))
    if isinstance(result, (Generator, AsyncGenerator)):
        items = iterate(result) if isinstance(result, AsyncGenerator) else result
        stream = Stream(items, request_id, items.close)
        return Reply(200, [("content-type", stream.content_type), RUN_SUCCEEDED], stream)
    werkzeug = sys.modules.get("werkzeug.wrappers")
    if werkzeug is not None and isinstance(result, werkzeug.Response):
        return _own_reply(result, request_id, _OURS.union(name for name, _ in marks))
    return Reply(200, [JSON, RUN_SUCCEEDED], results.encode(result))


def _own_reply(response: WerkzeugResponse, request_id: str, ours: Collection[str]) -> Reply:
    """What the script says is the answer. Its 5xx are failures of run()."""
    headers = [check_header(*one) for one in response.get_wsgi_headers({}) if one[0].lower() not in ours]
    status = response.status_code
    if not 200 <= status <= 599:
        raise ResultError(f"run() returned a response of status {status}, but it must be from 200 to 599.")
    said = response.headers.get(contract.RUN_FAILED_HEADER, "")
    headers.append(RUN_FAILED if status >= 500 or said.lower() == "true" else RUN_SUCCEEDED)
    return Reply(status, headers, _own_body(response, request_id))


def _own_body(response: WerkzeugResponse, request_id: str) -> Body:
    if not response.is_streamed:
        return response.get_data()
    items: Any = response.response
    iterator = iterate(items) if isinstance(items, AsyncIterator) else iter(items)
    return Stream(iterator, request_id, response.close, response.headers.get("content-type", ""))


def check_header(name: str, value: str) -> Header:
    """Raises ResultError for what no HTTP header can be: the server below would drop all the headers."""
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ResultError(
            f"run() returned a response with the header {name!r}: {value!r}. A name has letters, digits and "
            "hyphens; a value has no control characters."
        )
    return name.lower(), value
