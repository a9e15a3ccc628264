"""How findings name places and quote what was seen."""

from __future__ import annotations

import re
from collections.abc import Sequence

from estiva.diagnosis.tracebacks import printed
from estiva.records import Evidence, Traceback

# Their messages name what the script names.
_OF_THE_SCRIPT = {
    "KeyError",
    "NameError",
    "AttributeError",
    "ImportError",
    "ModuleNotFoundError",
    "FileNotFoundError",
    "UnboundLocalError",
}
_QUOTED = re.compile(r"(['\"]).+?\1")
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


def private(traceback: Traceback) -> str:
    """As `exception`, but for what may be the caller's data: values that are quoted in the message."""
    if traceback.exception.rsplit(".", 1)[-1] in _OF_THE_SCRIPT:
        return exception(traceback)
    return _QUOTED.sub(r"\1...\1", exception(traceback))


def located(traceback: Traceback) -> tuple[str, ...]:
    """The user's line with its place, and the exception without the caller's data."""
    return (*_line(traceback), private(traceback))


def quote(traceback: Traceback) -> tuple[str, ...]:
    """The user's line with its place, and the exception in full."""
    lines = traceback.message.splitlines()[:_QUOTED_LINES]
    said = [f"{traceback.exception}: {lines[0]}", *lines[1:]] if lines else [traceback.exception]
    return tuple(_short(line) for line in (*_line(traceback), *said))


def _line(traceback: Traceback) -> tuple[str, ...]:
    """The user's line with its place."""
    source = traceback.source.splitlines()
    return (_short(f"{traceback.file}:{traceback.line}: {source[0]}"),) if source and traceback.file else ()


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
