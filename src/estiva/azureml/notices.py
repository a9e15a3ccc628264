"""What a script should know and need not stop for: said once in a program, on stderr."""

from __future__ import annotations

import sys

_told: set[str] = set()


def tell(text: str) -> None:
    if text not in _told:
        _told.add(text)
        print(f"estiva: {text}", file=sys.stderr, flush=True)


def ignored(where: str, given: dict[str, object], why: str) -> None:
    """Says which of the arguments have no effect; those that were left out (None, False) are not named."""
    names = [name for name, value in given.items() if value not in (None, False)]
    if names:
        tell(f"{where}: {', '.join(names)} kept, without effect here: {why}.")


def forget() -> None:
    """As in a new program."""
    _told.clear()
