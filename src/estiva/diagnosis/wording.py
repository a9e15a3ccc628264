"""How findings name places and quote what was seen."""

from __future__ import annotations

from collections.abc import Sequence

from estiva.diagnosis.tracebacks import printed
from estiva.records import Evidence, Traceback

_QUOTED_LINES = 8
_LONGEST_LINE = 200


def place(traceback: Traceback) -> str:
    """ "score.py, line 5, in init()"; "" if the traceback names none."""
    if not traceback.file:
        return ""
    function = f", in {traceback.function}()" if traceback.function.isidentifier() else ""
    return f"{traceback.file}, line {traceback.line}{function}"


def title(traceback: Traceback, what: str) -> str:
    """ "score.py, line 5, in init(): what"."""
    return f"{place(traceback)}: {what}" if traceback.file else what


def exception(traceback: Traceback) -> str:
    """ "ValueError: what it says", the message's first line."""
    name = traceback.exception.rsplit(".", 1)[-1]
    message = traceback.message.splitlines()
    return _short(f"{name}: {message[0]}" if message else name)


def quote(traceback: Traceback) -> tuple[str, ...]:
    """The user's line with its place, and the exception in full."""
    lines = traceback.message.splitlines()[:_QUOTED_LINES]
    said = [f"{traceback.exception}: {lines[0]}", *lines[1:]] if lines else [traceback.exception]
    source = traceback.source.splitlines()
    first = [f"{traceback.file}:{traceback.line}: {source[0]}"] if source and traceback.file else []
    return tuple(_short(line) for line in [*first, *said])


def trial(evidence: Evidence) -> str:
    """The command that runs the script once."""
    return f"estiva try {evidence.entry_script or 'score.py'} --data FILE"


def tail(evidence: Evidence, count: int = _QUOTED_LINES) -> tuple[str, ...]:
    """The last lines of the log, or of the detail where there is no log."""
    return last(printed(evidence) or evidence.detail.splitlines(), count)


def first(lines: Sequence[str], count: int = _QUOTED_LINES) -> tuple[str, ...]:
    return tuple(_short(line) for line in lines[:count])


def last(lines: Sequence[str], count: int = _QUOTED_LINES) -> tuple[str, ...]:
    return tuple(_short(line) for line in lines[-count:])


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 3]}..."
