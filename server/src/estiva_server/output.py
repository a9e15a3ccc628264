"""What a script prints and logs: line by line, and during a run() under the id of its request.

A line that a run() prints is written whole, so that requests that run at the same time do not mix theirs.
"""

from __future__ import annotations

import io
import sys
from contextvars import ContextVar, Token

_LONGEST = 8192
"""What has no line end is written after so many characters."""


class Printing:
    """`with Printing(id):` what is printed meanwhile, in this thread and in its tasks, is the request's."""

    __slots__ = ("_token", "id", "rests")

    def __init__(self, request_id: str) -> None:
        self.id = request_id
        self.rests: dict[RequestLines, str] = {}
        """By stream, what still has no line end."""

    def __enter__(self) -> None:
        self._token: Token[Printing | None] = _printing.set(self)

    def __exit__(self, *_: object) -> None:
        _printing.reset(self._token)
        if self.rests:
            for stream in list(self.rests):
                stream.finish(self)


_printing: ContextVar[Printing | None] = ContextVar("estiva_printing", default=None)


def current_request() -> str | None:
    """The id of the request that this thread or task answers, None outside of a run()."""
    printing = _printing.get()
    return None if printing is None else printing.id


class RequestLines(io.TextIOWrapper):
    """A text stream that puts "[request id] " before each line that is written during a run()."""

    def write(self, text: str) -> int:
        printing = _printing.get()
        if printing is None:
            return super().write(text)
        *lines, rest = (printing.rests.get(self, "") + text).split("\n")
        if len(rest) > _LONGEST:
            lines, rest = [*lines, rest], ""
        if lines:
            super().write("".join(f"[{printing.id}] {line}\n" for line in lines))
        printing.rests[self] = rest
        return len(text)

    def finish(self, printing: Printing) -> None:
        """Write what the request printed last, without a line end."""
        rest = printing.rests.pop(self, "")
        if rest:
            super().write(f"[{printing.id}] {rest}\n")


def open_output() -> None:
    """Make standard output and error of this process such streams."""
    # Anew, because the inherited ones take the pipe for what the supervisor had there, a file perhaps.
    sys.stdout, sys.stderr = (
        RequestLines(
            open(descriptor, "wb", closefd=False),  # noqa: SIM115  for the life of the process
            encoding="utf-8",
            errors="backslashreplace",
            line_buffering=True,
        )
        for descriptor in (1, 2)
    )
