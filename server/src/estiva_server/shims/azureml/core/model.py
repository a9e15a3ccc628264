"""Stand-in for azureml.core.model: finds a deployed model's file. Logs at DEBUG where it looks."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

# Relative, although to a parent: under this name and under azureml.core.model these must be the same classes.
from ..exceptions import ModelNotFoundException, WebserviceException  # noqa: TID252

__all__ = ["Model", "ModelNotFoundException", "WebserviceException"]

log = logging.getLogger(__name__)

MODELS_DIR = Path(os.environ.get("AML_APP_ROOT", "")) / "azureml-models"
"""As in the original, looked up once, when the module is imported."""


class Model:
    def __init__(self, *_: Any, **__: Any) -> None:
        raise WebserviceException(
            "A score script has no workspace, so only Model.get_model_path() works in it. "
            "In other scripts, use `from estiva import Model`."
        )

    @staticmethod
    def get_model_path(model_name: str, version: int | None = None, _workspace: Any = None) -> str:
        """Path of the deployed model's file or folder; without a version, of the newest one.

        Where no such model was deployed, a file or folder `model_name` in the working directory is taken.
        Raises ModelNotFoundException (with a version: WebserviceException) when there is neither,
        WebserviceException when the version's folder does not hold exactly one entry, ValueError when a
        version is not a number.
        """
        if version is not None and not isinstance(version, int):
            raise WebserviceException(f"version must be an int, not {version!r} ({type(version).__name__}).")
        if _workspace is not None:
            log.debug("A score script has no workspace: the one given is not asked for the model.")
        try:
            return _find(model_name, version)
        except ModelNotFoundException as error:
            if version is None:
                raise
            raise WebserviceException(error.message, inner_exception=error) from error


def _find(name: str, version: int | None) -> str:
    model = MODELS_DIR / name
    log.debug("Looking for model %s in %s", name, model.absolute())
    if not model.is_dir():
        return _fall_back(name, f"there is no folder {model.absolute()}")
    folder = model / str(_newest(model) if version is None else version)
    log.debug("Looking for model %s, version %s in %s", name, folder.name, folder.absolute())
    if not folder.is_dir():
        return _fall_back(name, f"there is no folder {folder.absolute()}")
    entries = [entry.name for entry in folder.iterdir()]
    if len(entries) != 1:
        raise WebserviceException(
            f"{folder.absolute()} must hold exactly one file or folder, but holds {len(entries)}"
            f"{': ' if entries else ''}{', '.join(sorted(entries))}."
        )
    log.debug("Found %s", folder / entries[0])
    return str(folder / entries[0])


def _newest(model: Path) -> int:
    """By number: 10 is newer than 9."""
    names = [entry.name for entry in model.iterdir()]
    if not names:
        raise WebserviceException(f"{model.absolute()} is empty: no version of model {model.name} is there.")
    return max(int(name) for name in names)


def _fall_back(name: str, why: str) -> str:
    local = Path(name)
    log.debug("Not deployed: %s. Looking for %s", why, local.absolute())
    if local.exists():
        return name
    there = sorted(path.name for path in MODELS_DIR.iterdir()) if MODELS_DIR.is_dir() else []
    raise ModelNotFoundException(
        f"Model {name} was not found: {why}, nor is there {local.absolute()}. "
        f"Deployed models: {', '.join(there) or 'none'}."
    )
