"""What the sections of an environment have in common."""

from __future__ import annotations

from typing import Any


class Section:
    """Assigning to a name that does not exist is an error, or a misspelt setting would be lost silently."""

    _names: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self._names:
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}; it has {', '.join(self._names)}."
            )
        super().__setattr__(name, value)
