"""Options that several commands of `estiva ml` have, and what they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from estiva.azureml.workspace import Workspace
    from estiva.sdk.inference import InferenceConfig

Name = Annotated[str, typer.Option("--name", "-n", help="The service's name.")]
WorkspaceName = Annotated[
    str | None,
    typer.Option(
        "--workspace-name",
        "-w",
        envvar="ESTIVA_WORKSPACE",
        help="Else that of a config.json, else 'default'.",
    ),
]
ResourceGroup = Annotated[
    str | None, typer.Option("--resource-group", "-g", help="Of no effect.", hidden=True)
]
Models = Annotated[
    list[str] | None, typer.Option("--model", "-m", help="NAME:VERSION or a path; may be repeated.")
]
InferenceFile = Annotated[
    Path | None, typer.Option("--inference-config-file", "--ic", help="An inferenceconfig.json.")
]
DeploymentFile = Annotated[
    Path | None, typer.Option("--deploy-config-file", "--dc", help="A deploymentconfig.json.")
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="KEY=VALUE; may be repeated.")]
Properties = Annotated[list[str] | None, typer.Option("--property", help="KEY=VALUE; may be repeated.")]


def find(name: str | None) -> Workspace:
    """As all commands find it, with the names of azureml.core."""
    from estiva.azureml.workspace import Workspace
    from estiva.cli import workspace

    return Workspace.get(workspace.find(name).name)


def inference(file: Path | None, workspace: Workspace) -> InferenceConfig | None:
    from estiva.azureml import files

    return None if file is None else files.inference_config(file, workspace)


def deployment(file: Path | None) -> Any:
    from estiva.azureml import files

    return None if file is None else files.deployment_config(file)
