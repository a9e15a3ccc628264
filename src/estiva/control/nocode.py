"""Serving a model without a score script: by which of the server's own scripts, in what environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from estiva.control import nocode_environments
from estiva.control.nocode_environments import ONNX_SUFFIXES, Subject
from estiva.control.stages import Stages
from estiva.errors import UserErrorException
from estiva.messages import ModelReference
from estiva.records import Code, EnvironmentSpecification, File, ModelMount, NoCode, Tree
from estiva_server import contract

_UNSAID = (None, "", "Custom")


@dataclass(frozen=True)
class Given:
    """What the request says, apart from its models."""

    interpreter: str
    environment: EnvironmentSpecification | None = None
    environment_version: str | None = None


def plan(
    stages: Stages,
    workspace: str,
    references: tuple[ModelReference, ...],
    mounts: tuple[ModelMount, ...],
    given: Given,
) -> dict[str, Any]:
    """The fields of a DeploymentSpec that stand in for a script of the user's.

    Raises UserErrorException unless there is exactly one model, of a framework that can be served so.
    """
    if len(mounts) != 1:
        raise _refuse(f"takes exactly one model, but {len(mounts) or 'none'} {_were(len(mounts))} given.")
    subject = _subject(stages, workspace, references[0], mounts[0])
    environment, notice = given.environment, None
    if environment is None:
        environment, why = nocode_environments.choose(stages, subject, given.interpreter)
        notice = f"Served without a score script, as a model of {subject.framework}: {why}"
    return {
        "code": Code(
            tree=Tree(files=()),
            entry_script=contract.NO_CODE_SCRIPTS[subject.framework],
            entry_path="",
        ),
        "environment": environment,
        "environment_version": given.environment_version,
        "interpreter": given.interpreter,
        "no_code": NoCode(framework=subject.framework, notice=notice),
    }


def framework(said: str | None, files: tuple[File, ...], model: str) -> str:
    """What was said if it is supported, else what the files are without doubt. Raises UserErrorException."""
    if said in _UNSAID:
        detected = _detected(files)
        if detected is None:
            raise _refuse(f"needs the model's framework, and {model} is registered without one.")
        return detected
    known = {name.lower(): name for name in contract.NO_CODE_SCRIPTS}
    found = known.get(str(said).lower())
    if found is None:
        raise _refuse(f"is not possible for the framework {said!r} of {model}.")
    return found


def _detected(files: tuple[File, ...]) -> str | None:
    paths = [PurePosixPath(file.path) for file in files]
    if any(path.name == "MLmodel" for path in paths):
        return "MLflow"
    return "Onnx" if len(paths) == 1 and paths[0].suffix in ONNX_SUFFIXES else None


def _subject(stages: Stages, workspace: str, reference: ModelReference, mount: ModelMount) -> Subject:
    said, version, label = reference.framework, None, mount.name
    if mount.version:
        model = stages.store.model(workspace, mount.name, mount.version)
        said, version, label = said or model.framework, model.framework_version, model.id
    return Subject(label, framework(said, mount.tree.files, label), version, mount.tree.files)


def _were(count: int) -> str:
    return "was" if count == 0 else "were"


def _refuse(what: str) -> UserErrorException:
    return UserErrorException(
        f"A deployment without a score script {what} Supported are {', '.join(contract.NO_CODE_SCRIPTS)} "
        "(MLflow: a folder with a file MLmodel). Name the framework when you register the model "
        "(model_framework=...; on the command line, --framework), or give a score script: "
        "InferenceConfig(entry_script=..., environment=...), or --entry.",
        code="NoCodeUnsupported",
    )
