"""How a specification is refused: one exception, with the place in front, and the nearest accepted word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from estiva.errors import UserErrorException


def refusal(what: str, *, place: str = "") -> UserErrorException:
    """`what` is a sentence for the user; `place` says where, "environment.yml, line 3, column 5"."""
    return UserErrorException(f"{place}: {what}" if place else what, code="SpecificationInvalid")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known word that `name` was most likely meant to be, if one is close."""
    found = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.7)
    return found[0] if found else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """A clause for the end of a sentence: `; did you mean "channels"?`, or a full stop."""
    near = nearest(name, known)
    return f'; did you mean "{near}"?' if near else "."
