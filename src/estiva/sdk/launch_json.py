"""One entry of a `.vscode/launch.json`, written or brought up to date; all else stays as it is. Pure.

The file is JSON with comments and trailing commas. It is read to find places in it, never to be written anew:
what changes is cut out or put in, so that the user's entries, comments and layout stay to the letter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"(?P<skip>[\s\ufeff]+|//[^\r\n]*|/\*.*?\*/)"
    r'|(?P<string>"(?:[^"\\\r\n]|\\.)*")'
    r"|(?P<mark>[{}\[\],:])"
    r'|(?P<word>[^\s{}\[\],:"/]+)',
    re.DOTALL,
)
_REST_OF_LINE = re.compile(r"(?:[ \t]|/\*[^\r\n]*?\*/)*(?://[^\r\n]*)?")
_INDENTED = re.compile(r"^([ \t]+)\S", re.MULTILINE)
_FOUR = "    "


class LaunchJsonError(ValueError):
    """The text is no launch.json; the message says why."""


@dataclass
class _Value:
    """A value, and its place in the text."""

    start: int
    end: int = 0
    plain: Any = None
    """As Python has it."""
    parts: dict[str | int, _Value] = field(default_factory=dict)
    """An object's members, or a list's items by number."""
    last: int = 0
    """Where the last part ends; 0 if there is none."""
    comma: int = 0
    """Where a comma after that ends; 0 if there is none."""


def updated(text: str, entry: dict[str, Any]) -> str:
    """The text with the entry among its configurations; one of its name keeps what the entry does not say.

    Raises LaunchJsonError for a text that is no launch.json.
    """
    if all(kind == "skip" for kind, _, _ in _tokens(text)):
        whole = json.dumps({"version": "0.2.0", "configurations": [entry]}, indent=_FOUR)
        return f"{text.rstrip()}\n{whole}\n".lstrip("\n")
    root = _parse(text)
    if not isinstance(root.plain, dict):
        raise LaunchJsonError("it holds no object")
    if "configurations" not in root.parts:
        return _with_member(text, root, "configurations", [entry])
    found = root.parts["configurations"]
    if not isinstance(found.plain, list):
        raise LaunchJsonError('its "configurations" are no list')
    number = next((n for n, item in enumerate(found.plain) if _name(item) == entry["name"]), None)
    if number is None:
        return _with_last(text, found, _written(text, entry))
    for name, value in entry.items():
        item = _parse(text).parts["configurations"].parts[number]
        text = _with_member(text, item, name, value)
    return text


def _name(item: Any) -> Any:
    return item.get("name") if isinstance(item, dict) else None


# --- writing ---------------------------------------------------------------------------------------------


def _with_member(text: str, owner: _Value, name: str, value: Any) -> str:
    present = owner.parts.get(name)
    if present is None:
        return _with_last(text, owner, f"{json.dumps(name)}: {_written(text, value)}")
    if present.plain == value:
        return text
    written = _indented(text, _written(text, value), _indent(text, present.start))
    return text[: present.start] + written + text[present.end :]


def _with_last(text: str, owner: _Value, written: str) -> str:
    """The text with one more part, below the last one and the comments that stand beside that."""
    outer = _indent(text, owner.start)
    inner = outer + _unit(text)
    end = owner.last or owner.start + 1
    beside = _REST_OF_LINE.match(text, owner.comma or end)
    place = beside.end() if beside else end
    comma = "," if owner.last and not owner.comma else ""
    put = _newline(text) + inner + _indented(text, written, inner)
    if "\n" not in text[place : owner.end]:
        put += _newline(text) + outer
    return text[:end] + comma + text[end:place] + put + text[place:]


def _written(text: str, value: Any) -> str:
    return json.dumps(value, indent=_unit(text))


def _indented(text: str, written: str, indent: str) -> str:
    return written.replace("\n", _newline(text) + indent)


def _indent(text: str, place: int) -> str:
    """That of the line."""
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """What the file indents by."""
    found = _INDENTED.search(text)
    return found[1] if found else _FOUR


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


# --- reading ---------------------------------------------------------------------------------------------


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of each."""
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unexpected(text, place)
        yield str(match.lastgroup), place, match.end()
        place = match.end()


def _parse(text: str) -> _Value:
    return _Reader(text, [token for token in _tokens(text) if token[0] != "skip"]).whole()


class _Reader:
    def __init__(self, text: str, tokens: list[tuple[str, int, int]]) -> None:
        self._text = text
        self._tokens = iter(tokens)
        self._next()

    def _next(self) -> None:
        end = len(self._text)
        self._kind, self._start, self._end = next(self._tokens, ("end", end, end))

    @property
    def _said(self) -> str:
        return self._text[self._start : self._end]

    def whole(self) -> _Value:
        value = self.value()
        if self._kind != "end":
            raise _unexpected(self._text, self._start)
        return value

    def value(self) -> _Value:
        value = _Value(self._start, self._end)
        if self._said == "{":
            value.plain = {}
            self._parts(value, "}")
        elif self._said == "[":
            value.plain = []
            self._parts(value, "]")
        elif self._kind in ("string", "word"):
            value.plain = self._scalar()
        else:
            raise _unexpected(self._text, self._start)
        self._next()
        return value

    def _scalar(self) -> Any:
        try:
            return json.loads(self._said, strict=False)
        except ValueError as error:
            raise _unexpected(self._text, self._start) from error

    def _parts(self, owner: _Value, closing: str) -> None:
        """From the opening bracket to the closing one."""
        self._next()
        while self._said != closing:
            if owner.last and not owner.comma:
                raise _unexpected(self._text, self._start)
            self._part(owner)
        owner.end = self._end

    def _part(self, owner: _Value) -> None:
        key = self._key() if isinstance(owner.plain, dict) else len(owner.parts)
        part = self.value()
        owner.parts[key] = part
        if isinstance(owner.plain, dict):
            owner.plain[key] = part.plain
        else:
            owner.plain.append(part.plain)
        owner.last, owner.comma = part.end, 0
        if self._said == ",":
            owner.comma = self._end
            self._next()

    def _key(self) -> Any:
        if self._kind != "string":
            raise _unexpected(self._text, self._start)
        key = self._scalar()
        self._next()
        if self._said != ":":
            raise _unexpected(self._text, self._start)
        self._next()
        return key


def _unexpected(text: str, place: int) -> LaunchJsonError:
    line = text.count("\n", 0, place) + 1
    found = text[place : place + 20].split("\n")[0] or "its end"
    return LaunchJsonError(f"line {line} has something that does not belong there: {found}")
