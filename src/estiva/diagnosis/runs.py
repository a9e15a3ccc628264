"""Reads calls of run() that failed out of a replica's log, as the scoring server writes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import TypeVar

from estiva.diagnosis import tracebacks
from estiva.records import Evidence, Traceback

_RAISED = re.compile(
    r"ERROR estiva_server: run\(\) raised an exception \(request id (?P<id>[^)]*)\)(?:, given (?P<input>.*))?"
)
_LATE = re.compile(
    r"ERROR estiva_server: run\(\) did not end within (?P<limit>\d+) ms: "
    r".*\(request id (?P<id>[^)]*)\)\. It was here:"
)
_RESULT = re.compile(
    r"ERROR estiva_server: (?P<said>run\(\) (?:returned|is batched|was given) .*) "
    r"\(request id (?P<id>[^)]*)\)"
)
_LONGEST = 200
"""Lines of one traceback."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One way in which run() failed, and how often it did."""

    request: str
    """Id of the last request that failed so."""
    said: str = ""
    """What the log says of it, in the server's words."""
    given: str = ""
    """What kind of data that request carried."""
    lines: tuple[str, ...] = ()
    """Of the log: the traceback, or where it was."""
    count: int = 1

    @property
    def times(self) -> str:
        return "1 request failed so" if self.count == 1 else f"{self.count} requests failed so"

    @property
    def quoted(self) -> str:
        given = f", given {self.given}" if self.given else ""
        return f"{self.times}; the last: request id {self.request}{given}"


@dataclass(frozen=True, kw_only=True)
class Raised(Failure):
    raised: Traceback


_Kind = TypeVar("_Kind", bound=Failure)


def raised(evidence: Evidence) -> tuple[Raised, ...]:
    """Exceptions of run(), the most frequent first."""
    found: list[tuple[object, Raised]] = []
    lines = tracebacks.plain(evidence.log_tail)
    for number, line in enumerate(lines):
        match = _RAISED.fullmatch(line)
        block = _block(lines[number + 1 :]) if match else ()
        chain = tracebacks.first(block, evidence.entry_script)
        if match and chain:
            last = chain[-1]
            failure = Raised(raised=last, request=match["id"], given=match["input"] or "", lines=block)
            found.append(((last.file, last.line, last.exception), failure))
    return _grouped(found)


def results(evidence: Evidence) -> tuple[Failure, ...]:
    """Results of run() that cannot be sent."""
    matches = filter(None, map(_RESULT.fullmatch, tracebacks.plain(evidence.log_tail)))
    return _grouped((match["said"], Failure(said=match["said"], request=match["id"])) for match in matches)


def late(evidence: Evidence) -> tuple[Failure, ...]:
    """Calls of run() that exceeded the deadline; what is said is its milliseconds."""
    found: list[tuple[object, Failure]] = []
    lines = tracebacks.plain(evidence.log_tail)
    for number, line in enumerate(lines):
        if match := _LATE.fullmatch(line):
            stack = takewhile(lambda one: one.startswith("  "), lines[number + 1 : number + _LONGEST])
            failure = Failure(said=match["limit"], request=match["id"], lines=tuple(stack))
            found.append((failure.lines, failure))
    return _grouped(found)


def _block(lines: Iterable[str]) -> tuple[str, ...]:
    """Until the next failure."""
    block = takewhile(lambda line: not line.startswith("ERROR estiva_server: "), lines)
    return tuple(islice(block, _LONGEST))


def _grouped(found: Iterable[tuple[object, _Kind]]) -> tuple[_Kind, ...]:
    """The last of those that have the same key, with their count; the most frequent first."""
    last: dict[object, _Kind] = {}
    counts: Counter[object] = Counter()
    for key, failure in found:
        last[key] = failure
        counts[key] += 1
    return tuple(replace(last[key], count=count) for key, count in counts.most_common())
