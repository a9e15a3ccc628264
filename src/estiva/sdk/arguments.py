"""What callers give for a model, checked: ids, paths, tags and properties, criteria."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from estiva.errors import MissingModelPath, WebserviceException

Labels = dict[str, Any]
Criteria = Sequence[str | Sequence[str]]


def parse_id(model_id: str) -> tuple[str, int]:
    """ "iris:3" -> ("iris", 3)."""
    name, _, version = model_id.rpartition(":")
    if not name or not version.isdecimal():
        raise WebserviceException(
            f"{model_id!r} is not the id of a model: it looks like name:version, for example iris:1.",
            code="ModelId",
        )
    return name, int(version)


def existing_path(path: str | os.PathLike[str]) -> Path:
    if not os.fspath(path).strip():  # which the system takes for the current folder
        raise MissingModelPath("The model path is empty: give the path of the model's file or folder.")
    found = Path(path).expanduser().absolute()
    if not found.exists():
        raise MissingModelPath(
            f"The model path {str(path)!r} does not exist (looked for {found}). "
            "A relative path is looked up from the current folder."
        )
    return found


def labels(given: Labels | None, what: str) -> dict[str, str]:
    """Tags or properties as stored: text to text. Raises WebserviceException if they are not a dict."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise WebserviceException(f"{what} must be a dict of text to text.", code="LabelsInvalid")
    return {str(key): str(value) for key, value in given.items()}


def children(folder: Path, paths: Sequence[str | os.PathLike[str]] | None) -> tuple[str, ...] | None:
    """Looked up from the current folder, else from the model's."""
    if paths is None:
        return None
    return tuple(str(Path(path).absolute() if Path(path).exists() else folder / path) for path in paths)


def queries(criteria: Criteria) -> list[str]:
    return [item if isinstance(item, str) else "=".join(map(str, item)) for item in criteria]
