"""Hides secrets in text: those that are known, and what looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import quote

from estiva.records import Record

HIDDEN = "***"
_SHORTEST = 4
"""A shorter value would hide half of every text, and protects nothing."""
_NOUN = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|authorization|sig|sas"
    r"|(?:api|access|account|private|secret|shared|primary|secondary|signing|encryption)[_-]?key)"
)
_NAME = re.compile(rf"(?:.*[_.-])?{_NOUN}(?:[_.-]?(?:id|value|string|str|[0-9]+))?", re.IGNORECASE)
_ASSIGNED = re.compile(
    rf"""(\b[\w.-]*{_NOUN}["']?\s*(?:=|:)\s*(?:(?:Bearer|Basic)\s+)?["']?)([^\s"'&;,)}}\]]{{3,}})""",
    re.IGNORECASE,
)
_FLAG = re.compile(rf"""(--?[\w-]*{_NOUN}[ =]["']?)([^\s"'=]{{3,}})""", re.IGNORECASE)
_IN_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@'\"]+@", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{8,}")
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)

_Record = TypeVar("_Record", bound=Record)


def names_secret(name: str) -> bool:
    """Whether a variable of that name holds what must not be shown: DB_PASSWORD, API-KEY."""
    return _NAME.fullmatch(name) is not None


class Mask:
    """Replaces each of the `secrets`, and what looks like one, by three stars."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = {
            form for secret in secrets for form in (secret, quote(secret, safe="")) if len(form) >= _SHORTEST
        }
        # The longest first: one may be a part of another.
        known = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
        self._known = re.compile(known) if known else None

    def text(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = _KEY_BLOCK.sub(HIDDEN, text)
        text = _IN_URL.sub(rf"\1{HIDDEN}@", text)
        text = _ASSIGNED.sub(rf"\1{HIDDEN}", text)
        text = _FLAG.sub(rf"\1{HIDDEN}", text)
        return _BEARER.sub(rf"\1 {HIDDEN}", text)

    def content(self, content: Any) -> Any:
        """JSON content with each text in it masked, and whole the values of members named like a secret."""
        if isinstance(content, str):
            return self.text(content)
        if isinstance(content, dict):
            return {name: self._member(name, value) for name, value in content.items()}
        if isinstance(content, list | tuple):
            return [self.content(item) for item in content]
        return content

    def record(self, record: _Record) -> _Record:
        """The same record with its texts masked."""
        return type(record).model_validate(self.content(record.model_dump(mode="json")))

    def _member(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and value and names_secret(name):
            return HIDDEN
        return self.content(value)
