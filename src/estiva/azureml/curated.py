"""Environments that are ready to use, and which of them comes nearest to one of Azure ML's."""

from __future__ import annotations

import json
import subprocess
from importlib import metadata
from pathlib import Path

from estiva.azureml import notices
from estiva.errors import EnvironmentException

MINIMAL = "Estiva-minimal"
PACKAGES = {
    MINIMAL: (),
    "Estiva-sklearn": ("scikit-learn", "numpy", "pandas", "joblib"),
    "Estiva-onnxruntime": ("onnxruntime", "numpy"),
}

_PREFIX = "azureml-"
_WORDS = {"sklearn": "Estiva-sklearn", "scikit": "Estiva-sklearn", "onnx": "Estiva-onnxruntime"}
_CONDA_SECONDS = 60


def packages(name: str) -> list[str]:
    """Those that this Python has too in its versions: a model that was pickled here is read there."""
    return ["azureml-defaults", *(_as_here(package) for package in PACKAGES[name])]


def _as_here(package: str) -> str:
    try:
        return f"{package}=={metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return package


def nearest(name: str) -> str | None:
    """The curated environment itself, or the one for a curated name of Azure ML, with a notice; else None."""
    if name in PACKAGES:
        return name
    if not name.lower().startswith(_PREFIX):
        return None
    found = next((own for word, own in _WORDS.items() if word in name.lower()), MINIMAL)
    missing = " Add what its name promises with add_pip_package." if found == MINIMAL else ""
    notices.tell(f"The curated environment {name} is Azure's; {found} takes its place here.{missing}")
    return found


def conda_interpreter(name: str) -> str:
    """The Python of a conda environment on this machine. Raises EnvironmentException if there is none."""
    try:
        listed = subprocess.run(
            ["conda", "env", "list", "--json"],
            capture_output=True,
            check=True,
            timeout=_CONDA_SECONDS,
            text=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvironmentException(
            f"The conda environment {name!r} cannot be looked up: {error}. Is conda installed, and on PATH? "
            "A conda YAML does without: Environment.from_conda_specification.",
            code="CondaMissing",
        ) from error
    folders = [Path(folder) for folder in json.loads(listed).get("envs", [])]
    found = next((folder for folder in folders if folder.name == name), None)
    if found is None:
        known = ", ".join(sorted(folder.name for folder in folders)) or "none"
        raise EnvironmentException(f"There is no conda environment {name!r} (there are: {known}).")
    return str(found / "bin" / "python")
