"""Reads Python tracebacks out of a log, and finds the user's own line in them.

Understands chained exceptions, messages of several lines, and the form of a SyntaxError, whose last place
has no function. Lines may begin with the time, as the scoring server writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from estiva.records import Evidence, Traceback

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ")
_HEADER = "Traceback (most recent call last):"
_LINKS = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_PLACE = re.compile(r'  File "(?P<file>.+)", line (?P<line>\d{1,9})(?:, in (?P<function>.+))?')
_EXCEPTION = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: ?(?P<message>.*))?")
_SERVER = "estiva-server: "
_ENDED = re.compile(r"ended with exit status \d+\. ?")
_MESSAGE_LINES = 20
_NOT_RAISED = {"InitTimeout", "StartTimeout"}
_READS = re.compile(r"\b(?:loads?|open|read\w*|load_model|from_pretrained|unpickle|\w*Session)\(")
_PACKAGE = re.compile(r"/(?:site|dist)-packages/(?P<name>\w+)[/.]")
_FOREIGN = ("/site-packages/", "/dist-packages/", "/lib/python3", "/estiva_server/")


def plain(lines: Iterable[str]) -> list[str]:
    """The lines without their times."""
    return [_TIME.sub("", line, count=1) if _TIME.match(line) else line for line in lines]


def printed(evidence: Evidence) -> list[str]:
    """The log without times, empty lines, and the supervisor's repetition of why the worker ended."""
    return [
        line
        for line in plain(evidence.log_tail)
        if line.strip() and not (line.startswith(_SERVER) and _ENDED.match(line, len(_SERVER)))
    ]


def sentence(evidence: Evidence) -> str:
    """The scoring server's own last word in the log: why it ended."""
    said = [line.removeprefix(_SERVER) for line in plain(evidence.log_tail) if line.startswith(_SERVER)]
    return _ENDED.sub("", said[-1], count=1) if said else ""


def chain(evidence: Evidence) -> tuple[Traceback, ...]:
    """The exception that ended the script, after those it was raised from; () if none did."""
    if evidence.signal is not None or evidence.code in _NOT_RAISED:
        return ()  # a traceback in the log is then one that the script lived through
    return read(evidence.log_tail, evidence.entry_script)


def read(lines: Sequence[str], entry_script: str = "") -> tuple[Traceback, ...]:
    """The last chain of exceptions in the lines, in the order in which they were raised."""
    blocks = _Reader(plain(lines)).blocks()
    unlinked = [number for number, block in enumerate(blocks) if not block.linked]
    return _chain(blocks[unlinked[-1] :] if unlinked else blocks, entry_script)


def first(lines: Sequence[str], entry_script: str = "") -> tuple[Traceback, ...]:
    """The first chain of exceptions in the lines."""
    blocks = _Reader(plain(lines)).blocks()
    return _chain([*blocks[:1], *takewhile(lambda block: block.linked, blocks[1:])], entry_script)


def places(lines: Sequence[str], entry_script: str) -> tuple[str, ...]:
    """The user's own places in a stack, the innermost first: "score.py, line 8, in load()"."""
    found = [
        _Place(match["file"], int(match["line"]), match["function"] or "")
        for match in map(_PLACE.fullmatch, lines)
        if match
    ]
    root = _root(found, entry_script)
    return tuple(
        f"{place.file.removeprefix(root)}, line {place.line}"
        + (f", in {place.function}()" if place.function.isidentifier() else "")
        for place in reversed(found)
        if _own(place, root)
    )


def reads_file(raised: Traceback) -> bool:
    """Whether the user's line reads a model, or another file."""
    return _READS.search(raised.source) is not None


def _chain(blocks: Sequence[_Block], entry_script: str) -> tuple[Traceback, ...]:
    root = _root((place for block in blocks for place in block.places), entry_script)
    fallback = [place for block in blocks for place in block.places if _own(place, root)][-1:]
    return tuple(_traceback(block, root, fallback) for block in blocks)


@dataclass
class _Place:
    file: str
    line: int
    function: str
    source: list[str] = field(default_factory=list)


@dataclass
class _Block:
    """One traceback as it was printed."""

    linked: bool
    """Whether it continues the chain of the block before."""
    places: list[_Place] = field(default_factory=list)
    exception: str = ""
    message: list[str] = field(default_factory=list)


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0

    def blocks(self) -> list[_Block]:
        found: list[_Block] = []
        linked = False
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line == _HEADER or _PLACE.fullmatch(line):
                block = self._block(linked and bool(found))
                found += [block] if block.exception else []
                linked = False
            else:
                linked = linked or line in _LINKS
                self._at += 1
        return found

    def _block(self, linked: bool) -> _Block:
        block = _Block(linked)
        if self._lines[self._at] == _HEADER:
            self._at += 1
        for line in takewhile(lambda line: line.startswith("  "), self._lines[self._at :]):
            self._at += 1
            if place := _PLACE.fullmatch(line):
                block.places.append(_Place(place["file"], int(place["line"]), place["function"] or ""))
            elif block.places:
                block.places[-1].source.append(line)
        self._exception(block)
        return block

    def _exception(self, block: _Block) -> None:
        if self._at == len(self._lines) or not (found := _EXCEPTION.fullmatch(self._lines[self._at])):
            return
        rest = takewhile(_goes_on, self._lines[self._at + 1 : self._at + _MESSAGE_LINES])
        block.exception, block.message = found["name"], [found["message"] or "", *rest]
        self._at += len(block.message)


def _goes_on(line: str) -> bool:
    """Whether a line may belong to the message of the exception above it."""
    return not (line == _HEADER or line in _LINKS or line.startswith(_SERVER) or _PLACE.fullmatch(line))


def _root(places: Iterable[_Place], entry_script: str) -> str:
    """The app root with a slash, known from where the entry script is; "" if no place is in it."""
    end = f"/{entry_script}"
    roots = [p.file.removesuffix(entry_script) for p in places if entry_script and p.file.endswith(end)]
    return roots[0] if roots else ""


def _own(place: _Place, root: str) -> bool:
    if root and place.file.startswith(root):
        return True
    return not place.file.startswith("<") and not any(part in place.file for part in _FOREIGN)


def _traceback(block: _Block, root: str, fallback: list[_Place]) -> Traceback:
    """The exception at the user's last own place; at the chain's last own one if this traceback has none."""
    places = [place for place in block.places if _own(place, root)] or fallback or block.places
    if block.places and not block.places[-1].function:  # a SyntaxError: the place is what it is about
        places = block.places
    place = places[-1] if places else _Place("", 0, "")
    return Traceback(
        file=place.file.removeprefix(root),
        line=place.line,
        function="" if place.function == "<module>" else place.function,
        source=_source(place),
        exception=block.exception,
        message="\n".join(block.message).strip(),
        package=_package(block),
    )


def _package(block: _Block) -> str:
    """Of the last place, where the exception was raised."""
    found = _PACKAGE.search(block.places[-1].file) if block.places else None
    return found["name"] if found else ""


def _source(place: _Place) -> str:
    """The line of code; for a SyntaxError, with the carets below it."""
    if place.function:
        return place.source[0].strip() if place.source else ""
    return "\n".join(line.removeprefix("    ") for line in place.source)
