"""`estiva try`: init() and one run() without deploying."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from estiva.cli import environment as environments
from estiva.cli.deploy import EnvFile, EnvironmentName, Models, SecretFile, Source, inference_config, models
from estiva.cli.output import Format, Output, show_json
from estiva.cli.workspace import WorkspaceName, find

_OK = 200


def add_to(app: typer.Typer) -> None:
    app.command(name="try", epilog="Example:  estiva try score.py --model model.pkl --data sample.json")(
        attempt
    )


def attempt(
    entry: Annotated[Path, typer.Argument(help="The score script.")],
    data: Annotated[Path, typer.Option(help="File with the request's body.", exists=True, dir_okay=False)],
    model: Models = None,
    source: Source = None,
    env: EnvironmentName = None,
    env_file: EnvFile = None,
    secrets_file: SecretFile = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Run init() and run() once in the environment, and print the answer and the log."""
    from estiva.sdk.conda_dependencies import read_text
    from estiva.sdk.trying import attempt as run_once

    found = find(workspace)
    result = run_once(
        found,
        models(found, model),
        inference_config(found, entry, source, env),
        read_text(data),
        environment_variables=environments.variables(env_file),
        secrets=environments.variables(secrets_file),
        show=lambda line: typer.echo(f"  {line}", err=True),
    )
    if output is Format.JSON:
        show_json(result.model_dump())
    else:
        for line in result.log:
            typer.echo(line, err=True)
        typer.echo(f"{result.status} in {result.seconds * 1000:.1f} ms", err=True)
        typer.echo(result.body)
    if result.status != _OK:
        raise typer.Exit(1)
