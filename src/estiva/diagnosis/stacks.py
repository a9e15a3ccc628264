"""Reads where threads were, as faulthandler writes it into a log: when it is late, or when they crash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from estiva.diagnosis import tracebacks

_THREAD = re.compile(r"(?:Current thread|Thread) 0x[0-9a-f]+(?: \[[^\]]*\])? \(most recent call first\):")
_FRAME = re.compile(r'  File "(?P<file>.+)", line (?P<line>\d{1,9}) in (?P<function>.+)')


def own(lines: Sequence[str], entry_script: str) -> tuple[str, ...]:
    """The user's own places in the last dump, the innermost first: "score.py, line 8, in load()".

    Of the threads the one that has the entry script in it, which init() or run() is called in.
    """
    found = [_places(thread, entry_script) for thread in _threads(tracebacks.plain(lines))]
    return next((places for places in reversed(found) if places), ())


def _threads(lines: list[str]) -> list[list[re.Match[str]]]:
    starts = [number for number, line in enumerate(lines) if _THREAD.fullmatch(line)]
    return [
        [match for match in takewhile(bool, map(_FRAME.fullmatch, lines[start + 1 :])) if match]
        for start in starts
    ]


def _places(frames: list[re.Match[str]], entry_script: str) -> tuple[str, ...]:
    end = f"/{entry_script}"
    root = next((f["file"].removesuffix(entry_script) for f in frames if f["file"].endswith(end)), None)
    if root is None or not entry_script:
        return ()
    return tuple(
        f"{frame['file'].removeprefix(root)}, line {frame['line']}{_function(frame['function'])}"
        for frame in frames
        if frame["file"].startswith(root)
    )


def _function(name: str) -> str:
    return f", in {name}()" if name.isidentifier() else ""
