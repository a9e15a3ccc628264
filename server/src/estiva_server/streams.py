"""Answers that are sent part by part, while run() still makes them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Generator, Iterator
from typing import Any

from estiva_server import results
from estiva_server.output import Printing

log = logging.getLogger("estiva_server")

EVENTS = "text/event-stream"
LINES = "application/x-ndjson"
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"

_END = object()


class Stream:
    """An answer's body: an iterator of bytes with close().

    Of what run() yields, str is encoded and bytes are sent as they are. Anything else becomes a line of
    JSON, or an event where the content type is text/event-stream. When run() fails in the midst, such an
    answer ends with a line or an event that says so; the others just end, because nothing in them could.
    """

    def __init__(
        self, items: Iterator[Any], request_id: str, close: Callable[[], object], content_type: str = ""
    ) -> None:
        """Takes the first item, so that what run() raises before it is raised here."""
        self._items = items
        self._id = request_id
        self._close = close
        self._cut = False
        first = self._take()
        self.content_type = content_type or _kind(first)
        self._chunks = self._generate(first)

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Also when the client has left. Idempotent."""
        self._chunks.close()

    def cut(self) -> None:
        """End with the part that is being made; callable from any thread."""
        self._cut = True

    def _generate(self, item: Any) -> Generator[bytes, None, None]:
        try:
            while item is not _END and not self._cut:
                yield self._frame(item)
                item = self._take()
            if item is not _END:
                yield self._last_words("It took too long, and was cut off.")
        except GeneratorExit:
            raise
        except results.ResultError as error:
            log.error("%s (request id %s)", error, self._id)  # noqa: TRY400  the sentence is the whole story
            yield self._last_words("The score script failed.")
        except BaseException:  # SystemExit and CancelledError are failures of run() too
            log.exception("run() raised an exception in the midst of its answer (request id %s)", self._id)
            yield self._last_words("The score script failed.")
        finally:
            with Printing(self._id):
                self._close()

    def _take(self) -> Any:
        with Printing(self._id):
            return next(self._items, _END)

    def _frame(self, item: Any) -> bytes:
        if isinstance(item, str):
            return item.encode()
        if isinstance(item, (bytes, bytearray, memoryview)):
            return bytes(item)
        text = results.encode(item)
        return b"data: " + text + b"\n\n" if self.content_type.startswith(EVENTS) else text + b"\n"

    def _last_words(self, failure: str) -> bytes:
        text = json.dumps({"message": f"The answer is incomplete. {failure} (Request id {self._id}.)"})
        if self.content_type.startswith(EVENTS):
            return f"event: error\ndata: {text}\n\n".encode()
        return f"{text}\n".encode() if self.content_type.startswith(LINES) else b""


def _kind(first: Any) -> str:
    """The content type of an answer that begins so."""
    if isinstance(first, (bytes, bytearray, memoryview)):
        return _BYTES
    return _TEXT if isinstance(first, str) or first is _END else LINES
