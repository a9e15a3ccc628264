"""`estiva model`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estiva.cli import completion
from estiva.cli.output import Bytes, Format, Output, show_fields, show_rows
from estiva.cli.workspace import WorkspaceName, find
from estiva.errors import UserErrorException

if TYPE_CHECKING:
    from estiva.sdk.model import Model

app = typer.Typer(name="model", help="Registered models.", no_args_is_help=True)

Reference = Annotated[
    str,
    typer.Argument(
        help="NAME, or NAME:VERSION; without a version the newest.", autocompletion=completion.models
    ),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="KEY=VALUE; may be repeated.")]


@app.command(epilog="Example:  estiva model register iris model.pkl --tag stage=trial")
def register(
    name: str,
    path: Annotated[Path, typer.Argument(help="The model's file or folder.")],
    tag: Tags = None,
    description: Annotated[str | None, typer.Option(help="What it is, in your words.")] = None,
    framework: Annotated[
        str | None, typer.Option(help="ScikitLearn, Onnx, XGBoost, LightGBM, MLflow, ...")
    ] = None,
    framework_version: Annotated[str | None, typer.Option(help="The framework's version.")] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Register a file or folder as the next version of a model."""
    import contextlib
    import sys

    from estiva.sdk.model import Model

    with contextlib.redirect_stdout(sys.stderr):
        model = Model.register(
            find(workspace),
            path,
            name,
            tags=pairs(tag),
            description=description,
            model_framework=framework,
            model_framework_version=framework_version,
        )
    show_fields(fields(model), output)


@app.command("list")
def listing(
    name: Annotated[str | None, typer.Option(help="Only this model's versions.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="KEY or KEY=VALUE; may be repeated.")] = None,
    latest: Annotated[bool, typer.Option(help="Only the newest version of each.")] = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """List registered models, newest first."""
    from estiva.sdk.model import Model

    criteria = [item.split("=", 1) if "=" in item else item for item in tag or ()]
    found = Model.list(find(workspace), name=name, tags=criteria, latest=latest)
    rows = [fields(model) for model in found]
    show_rows(
        rows,
        ["name", "version", "size", "framework", "tags", "created"],
        output,
        "No models are registered yet; `estiva model register NAME PATH` registers one.",
    )


@app.command()
def show(model: Reference, workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """Show a model."""
    found = find_model(workspace, model)
    show_fields({**fields(found), "description": found.description, "files": found.files}, output)


@app.command(epilog="Example:  estiva model download iris:2 --target models")
def download(
    model: Reference,
    target: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(),
    overwrite: Annotated[bool, typer.Option(help="Replace files that are there.")] = False,
    workspace: WorkspaceName = None,
) -> None:
    """Write a model's files to a folder."""
    typer.echo(find_model(workspace, model).download(target, exist_ok=overwrite))


@app.command()
def delete(
    model: Annotated[str, typer.Argument(help="NAME:VERSION", autocompletion=completion.model_versions)],
    workspace: WorkspaceName = None,
) -> None:
    """Delete one version of a model; refused while a service uses it."""
    if ":" not in model:
        raise UserErrorException(f"Say which version: {model}:1, for example.", code="ModelVersionMissing")
    find_model(workspace, model).delete()
    typer.echo(f"Model {model} deleted.")


def find_model(workspace: str | None, reference: str) -> Model:
    from estiva.sdk.arguments import parse_id
    from estiva.sdk.model import Model

    name, version = parse_id(reference) if ":" in reference else (reference, None)
    return Model(find(workspace), name=name, version=version)


def fields(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "version": model.version,
        "size": Bytes(model.size),
        "framework": model.model_framework,
        "tags": model.tags,
        "created": model.created_time,
    }


def pairs(given: list[str] | None) -> dict[str, str]:
    """KEY=VALUE options as a dict; raises UserErrorException for one without "="."""
    result = {}
    for item in given or ():
        key, separator, value = item.partition("=")
        if not separator or not key:
            raise UserErrorException(f"{item!r} is not KEY=VALUE.", code="PairInvalid")
        result[key] = value
    return result
