"""What the scripts of this package find: the model's file, and the package that reads it."""

from __future__ import annotations

import importlib
import os
import pickle
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import Any

from estiva_server import contract
from estiva_server.script import StartError

PICKLES = (".pkl", ".pickle", ".joblib", ".sav")
"""Suffixes of files that pickle and joblib write; both are read by joblib.load()."""


def require(module: str, package: str) -> ModuleType:
    """The imported module. Raises StartError with the package to add if it is not in the environment."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise  # the package is there, and lacks one of its own
        raise StartError(
            f"The model needs the package {package}, which is not in the environment. Add {package} to the "
            "environment's pip packages, or register the model with model_framework_version, so that an "
            "environment is made for it."
        ) from error


def folder() -> Path:
    """The model's version folder, whose only entry is the registered file or folder."""
    return Path(os.environ[contract.MODEL_DIR_VARIABLE])


def find_file(suffixes: Collection[str]) -> Path:
    """The model's file: the only one, or the only one of these suffixes. Raises StartError."""
    files = sorted(path for path in folder().rglob("*") if path.is_file())
    found = files if len(files) == 1 else [path for path in files if path.suffix.lower() in suffixes]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(str(path.relative_to(folder())) for path in (found or files)) or "nothing"
    raise StartError(
        f"The model must have exactly one file that ends in {', '.join(suffixes)}, but it has: {listed}. "
        "Register that file alone, or deploy with a score script of your own."
    )


def unpickle(path: Path) -> Any:
    """What pickle or joblib wrote; joblib's own files need joblib."""
    try:
        import joblib
    except ModuleNotFoundError:
        return pickle.loads(path.read_bytes())  # noqa: S301  the model is what the user chose to run
    return joblib.load(path)
