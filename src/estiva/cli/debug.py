"""`estiva debug`: a service to which an editor's debugger can attach."""

from __future__ import annotations

from typing import Annotated

import typer

from estiva.cli.output import Format, Output, show_fields
from estiva.cli.service import Name, find_service, finish
from estiva.cli.workspace import WorkspaceName


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example:  estiva debug mysvc    or    estiva debug mysvc --stop")(debug)


def debug(
    name: Name,
    port: Annotated[
        int | None, typer.Option(help="Of the debugger, on 127.0.0.1; else 5678, or a free one.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Load the script only when a debugger has attached.")
    ] = False,
    no_launch_json: Annotated[
        bool, typer.Option("--no-launch-json", help="Leave .vscode/launch.json alone.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End debug mode.")] = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Serve the scripts as they are now, open to a debugger; .vscode/launch.json tells the editor where."""
    from estiva.sdk.debugging import LAUNCH_JSON

    service = find_service(workspace, name)
    if stop:
        service.stop_debugging(wait=False)
        finish(service, output)
        return
    file = None if no_launch_json else LAUNCH_JSON
    address = service.debug(port, wait=wait, launch_json=file)
    fields = {"debugger": address, "launch_json": str(file) if file else None}
    show_fields({**fields, "scoring_uri": service.scoring_uri}, output)
    if output is Format.TABLE:
        waits = "  The script is loaded when a debugger has attached." if wait else ""
        typer.echo(f"Attach with Visual Studio Code: F5, 'Estiva: {name}'.{waits}", err=True)
        typer.echo(f"After an edit, the same command again. To end:  estiva debug {name} --stop", err=True)
