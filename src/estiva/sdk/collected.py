"""What score scripts collected with ModelDataCollector: records by service, model, designation and day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from estiva.home import Home


@dataclass(frozen=True)
class Day:
    """One file of records."""

    service: str
    model: str
    designation: str
    date: str
    """YYYY-MM-DD, in UTC."""
    path: Path

    def records(self) -> Iterator[dict[str, Any]]:
        """In the order of arrival. A line that is still being written is left out."""
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield json.loads(line)


def days(workspace: str, service: str, model: str | None = None, designation: str | None = None) -> list[Day]:
    """Those of a service, also of one that was deleted; oldest first."""
    root = Home.current().collected(workspace, service)
    found = [
        Day(service, path.parent.parent.name, path.parent.name, path.stem, path)
        for path in root.glob("*/*/*.jsonl")
    ]
    chosen = [day for day in found if model in (None, day.model) and designation in (None, day.designation)]
    return sorted(chosen, key=lambda day: (day.date, day.model, day.designation))
