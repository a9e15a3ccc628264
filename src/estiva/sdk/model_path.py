"""Model.get_model_path outside a score script: behaviour of Azure ML SDK v1, kept for scripts that use it."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from estiva.errors import ModelNotFoundException, WebserviceException
from estiva_server import contract

if TYPE_CHECKING:
    from estiva.sdk.workspace import Workspace

log = logging.getLogger(__name__)


def find_model_path(model_name: str, version: int | None, workspace: Workspace | None) -> str:
    """With a workspace the registered model, downloaded if need be; else what lies in `azureml-models`.

    Raises ModelNotFoundException if nothing is found, or WebserviceException if a version was given; that
    too for a version that is no integer, and for a version folder with several entries.
    """
    if version is not None and not isinstance(version, int):
        raise WebserviceException(f"version must be an integer, not {version!r}.", code="ModelVersion")
    root = Path(os.environ.get(contract.APP_ROOT_VARIABLE, "")) / contract.MODELS_FOLDER
    if workspace is not None:
        return _remote(root, model_name, version, workspace)
    try:
        return _local(root, model_name, version)
    except ModelNotFoundException as error:
        if version is None:
            raise
        message = f"Version {version} of the model was asked for. {error.message}"
        raise WebserviceException(message, code=error.code) from error


def _remote(root: Path, name: str, version: int | None, workspace: Workspace) -> str:
    from estiva.sdk.model import Model

    folder = root / name / str(version)
    if version is not None and folder.is_dir():
        return _only_entry(folder)
    model = Model(workspace, name=name, version=version)
    folder = root / name / str(model.version)
    model.download(target_dir=folder, exist_ok=True)
    return _only_entry(folder)


def _local(root: Path, name: str, version: int | None) -> str:
    versions = root / name
    log.debug("looking for model %s in %s", name, versions.absolute())
    if versions.is_dir():
        number = version if version is not None else _newest(versions)
        if (versions / str(number)).is_dir():
            return _only_entry(versions / str(number))
    log.debug("looking for model %s at %s", name, Path(name).absolute())
    if Path(name).exists():
        return name
    raise ModelNotFoundException(
        f"Model {name!r} was not found: neither {versions.absolute()} nor {Path(name).absolute()} exists. "
        "Give a workspace (_workspace=) to download it, or the name it was registered under."
    )


def _newest(versions: Path) -> int:
    numbers = [int(entry.name) for entry in versions.iterdir()]
    if not numbers:
        raise WebserviceException(f"{versions} holds no version of the model.", code="ModelNotFound")
    return max(numbers)


def _only_entry(folder: Path) -> str:
    entries = list(folder.iterdir())
    if len(entries) != 1:
        raise WebserviceException(
            f"{folder} must hold exactly one file or folder, but holds {len(entries)}.", code="ModelAmbiguous"
        )
    return str(entries[0])
