"""What a workspace keeps for scripts that the registry has no place for: JSON documents and files."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from estiva.errors import UserErrorException
from estiva.home import Home


def folder(workspace: str, *names: str) -> Path:
    """A folder in the workspace's storage, made if need be. Raises UserErrorException for what is no name."""
    for name in names:
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise UserErrorException(f"{name!r} cannot be a name.", code="NameInvalid")
    found = Home.current().storage(workspace).joinpath(*names)
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


class Documents:
    """JSON documents of one kind ("compute", "datasets"), by name."""

    def __init__(self, workspace: str, *kind: str) -> None:
        self.folder = folder(workspace, *kind)

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def read(self, name: str) -> dict[str, Any] | None:
        """None if there is none of that name."""
        try:
            found: dict[str, Any] = json.loads(self._place(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found

    def write(self, name: str, document: dict[str, Any]) -> None:
        """Whole or not at all, also for readers in other processes."""
        descriptor, part = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".part")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(document, stream, indent=2)
        Path(part).replace(self._place(name))

    def delete(self, name: str) -> None:
        """Absence is success."""
        self._place(name).unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise UserErrorException(f"{name!r} cannot be a name.", code="NameInvalid")
        return self.folder / f"{name}.json"
