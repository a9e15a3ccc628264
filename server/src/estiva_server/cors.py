"""Who may read the answers in a browser from another site: AML_CORS_ORIGINS. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from estiva_server.inputs import Scope
from estiva_server.replies import Header

_PATTERN = re.compile(r"[*\\\]?$^\[()]")
"""An origin that has one of these is a regular expression."""
_METHODS = ("GET", "POST")


def allow(origins: Sequence[str], scope: Scope) -> list[Header]:
    """The headers of the answer. `origins` are as in "https://a.example", or "*", or patterns."""
    origin = scope.get("HTTP_ORIGIN", "")
    anyone = "*" in origins
    # A cache must not hand out the answer for one origin to another, whether or not the first had one.
    vary: list[Header] = [] if anyone else [("vary", "Origin")]
    if not anyone and not (origin and any(_fits(origin, allowed) for allowed in origins)):
        return vary
    headers = [("access-control-allow-origin", "*" if anyone else origin), *vary]
    return headers + _preflight(scope) if scope["REQUEST_METHOD"] == "OPTIONS" else headers


def _preflight(scope: Scope) -> list[Header]:
    """To a browser that asks first."""
    if scope.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "").upper() not in _METHODS:
        return []
    headers = [("access-control-allow-methods", ", ".join(_METHODS))]
    names = scope.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
    return [*headers, ("access-control-allow-headers", names)] if names else headers


def _fits(origin: str, allowed: str) -> bool:
    if origin.lower() == allowed.lower():
        return True
    return bool(_PATTERN.search(allowed) and re.fullmatch(allowed, origin, re.IGNORECASE))
