"""`estiva diagnose` says what is wrong with a service; `estiva shell` lets one look around in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from estiva.cli.output import Format, Output, show_json, wrapped
from estiva.cli.service import Name, find_service
from estiva.cli.workspace import WorkspaceName


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example:  estiva diagnose mysvc   or   estiva diagnose mysvc --bundle report.zip")(
        diagnose
    )
    app.command(epilog="Example:  estiva shell mysvc   or   estiva shell mysvc -- python -c 'import score'")(
        shell
    )


def diagnose(
    name: Name,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Also write a ZIP archive for a bug report: logs, evidence, versions; no secrets."),
    ] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Say what is wrong with a service, why, and what to do; whether it failed to start or fails requests."""
    service = find_service(workspace, name)
    found = service.diagnose()
    if output is Format.JSON:
        show_json(found.record.model_dump(mode="json"))
    else:
        typer.echo(wrapped(str(found)))
        if found:
            codes = dict.fromkeys(finding.code for finding in found)
            typer.echo(f"\nTheir codes, for the documentation: {', '.join(codes)}")
    if bundle is not None:
        service.save_bundle(bundle)
        typer.echo(f"Written: {bundle}", err=True)


def shell(
    name: Name,
    command: Annotated[list[str] | None, typer.Argument(help="What to run instead of a shell.")] = None,
    workspace: WorkspaceName = None,
) -> None:
    """Open a shell where the newest generation runs, or would: its Python, its app root, its variables."""
    service = find_service(workspace, name)
    if not command:
        typer.echo(f"In the app root of {name}, with its Python; `exit` leaves it.", err=True)
    raise typer.Exit(service.shell(command or ()))
