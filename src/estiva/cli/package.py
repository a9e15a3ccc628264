"""`estiva package`: the image of models and a score script, or its Dockerfile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from estiva.cli.deploy import EnvironmentName, Models, Source, inference_config, models
from estiva.cli.output import Format, Output, show_fields
from estiva.cli.workspace import WorkspaceName, find


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example:  estiva package --model model.pkl --entry score.py --env myenv.yml")(package)


def package(
    entry: Annotated[
        Path, typer.Option("--entry", "-e", help="The score script, with init() and run(data).")
    ] = Path("score.py"),
    model: Models = None,
    source: Source = None,
    env: EnvironmentName = None,
    name: Annotated[str | None, typer.Option(help="The image's name.")] = None,
    label: Annotated[str | None, typer.Option(help="The image's tag.")] = None,
    dockerfile: Annotated[
        Path | None, typer.Option(help="Write a Dockerfile with its files to this folder instead.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the Dockerfile, build nothing.")] = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Build an image that serves the models anywhere, or write the Dockerfile for it."""
    import contextlib
    import sys

    from estiva.sdk.model import Model

    found = find(workspace)
    made = Model.package(
        found,
        models(found, model),
        inference_config(found, entry, source, env),
        generate_dockerfile=dry_run or dockerfile is not None,
        image_name=name,
        image_label=label,
    )
    with contextlib.redirect_stdout(sys.stderr):
        made.wait_for_creation(show_output=True)
    if dry_run:
        typer.echo(made.dockerfile, nl=False)
    elif dockerfile is not None:
        made.save(str(dockerfile))
        show_fields({"dockerfile": str(dockerfile / "Dockerfile")}, output)
    else:
        show_fields({"image": made.location}, output)
