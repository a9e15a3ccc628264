"""`estiva ml model`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from estiva.cli.ml import options
from estiva.cli.ml.options import DeploymentFile, InferenceFile, Models, Properties, Tags, WorkspaceName
from estiva.cli.model import fields, pairs
from estiva.cli.output import Format, Output, show_fields, show_rows

app = typer.Typer(name="model", help="Models: register, list, deploy, package.", no_args_is_help=True)


@app.command(epilog="Example:  estiva ml model register -n iris -p model.pkl --tag stage=trial")
def register(
    name: Annotated[str, typer.Option("--name", "-n", help="The model's name.")],
    path: Annotated[Path, typer.Option("--model-path", "-p", help="Its file or folder.")],
    tag: Tags = None,
    property: Properties = None,  # noqa: A002  the name of the option
    description: Annotated[str | None, typer.Option("--description", "-d", help="In your words.")] = None,
    framework: Annotated[str | None, typer.Option("--model-framework", help="ScikitLearn, Onnx, ...")] = None,
    framework_version: Annotated[
        str | None, typer.Option("--model-framework-version", help="The framework's version.")
    ] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Register a file or folder as the next version of a model."""
    from estiva.azureml.model import Model

    model = Model.register(
        options.find(workspace),
        path,
        name,
        pairs(tag),
        pairs(property),
        description,
        model_framework=framework,
        model_framework_version=framework_version,
    )
    show_fields(fields(model), output)


@app.command("list")
def listing(
    name: Annotated[str | None, typer.Option("--model-name", "-n", help="Only this one's versions.")] = None,
    latest: Annotated[bool, typer.Option("--latest", "-l", help="Only the newest version of each.")] = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """List registered models, newest first."""
    from estiva.azureml.model import Model

    rows = [fields(model) for model in Model.list(options.find(workspace), name=name, latest=latest)]
    columns = ["name", "version", "size", "framework", "tags", "created"]
    show_rows(rows, columns, output, "No models are registered yet.")


@app.command(
    epilog="Example:  estiva ml model deploy -n mysvc -m iris:1 --ic inferenceconfig.json "
    "--dc deploymentconfig.json"
)
def deploy(
    name: options.Name,
    model: Models = None,
    ic: InferenceFile = None,
    dc: DeploymentFile = None,
    target: Annotated[
        str | None, typer.Option("--compute-target", "--ct", help="A compute target of the workspace.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a service of this name.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Return as soon as it is accepted.")] = False,
    workspace: WorkspaceName = None,
) -> None:
    """Deploy models and a score script as a service, and wait until it runs."""
    from estiva.azureml.model import Model

    found = options.find(workspace)
    config = options.deployment(dc)
    service = Model.deploy(
        found, name, model or [], options.inference(ic, found), config, target, overwrite, show_output=True
    )
    if not no_wait:
        service.wait_for_deployment(show_output=True)


@app.command(epilog="Example:  estiva ml model package -m iris:1 --ic inferenceconfig.json --output-path out")
def package(
    model: Models = None,
    ic: InferenceFile = None,
    folder: Annotated[
        Path | None,
        typer.Option("--output-path", help="Write a Dockerfile and all that it copies here."),
    ] = None,
    image_name: Annotated[str | None, typer.Option("--image-name", "--in", help="The image's name.")] = None,
    image_label: Annotated[str | None, typer.Option("--image-label", "--il", help="Its tag.")] = None,
    workspace: WorkspaceName = None,
) -> None:
    """Make an image of models and a score script, or the Dockerfile for it."""
    from estiva.azureml.model import Model

    found = options.find(workspace)
    config = options.inference(ic, found)
    made = Model.package(found, model or [], config, folder is not None, image_name, image_label)
    made.wait_for_creation(show_output=True)
    if folder is not None:
        made.save(str(folder))
    typer.echo(f"Written to {folder}" if folder is not None else f"Image {made.location}")
