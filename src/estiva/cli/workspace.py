"""`estiva workspace`, and how every other command finds the workspace it works in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from estiva.cli import certificate as certificates
from estiva.cli.certificate import CertificateFile, HostName, KeyFile
from estiva.cli.output import Format, Output, show_fields, show_rows
from estiva.errors import UserErrorException, WorkspaceException

if TYPE_CHECKING:
    from estiva.sdk.workspace import Workspace

app = typer.Typer(
    name="workspace", help="Workspaces: what belongs to one team or project.", no_args_is_help=True
)

WorkspaceName = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        "-w",
        envvar="ESTIVA_WORKSPACE",
        help="Workspace; else the one that a config.json here or above names, else 'default'.",
    ),
]


def find(name: str | None) -> Workspace:
    """The workspace named, or that of the configuration file, or the default one, made on first use."""
    from estiva.sdk import workspace as sdk

    if name == sdk.DEFAULT_NAME:
        return sdk.Workspace.default()
    if name is not None:
        return sdk.Workspace.get(name)
    try:
        return sdk.Workspace.from_config()
    except WorkspaceException as error:
        return _offer(error)
    except UserErrorException as error:
        if error.code != "ConfigNotFound":
            raise
        return sdk.Workspace.default()


def _offer(error: WorkspaceException) -> Workspace:
    """The configuration names a workspace that is not here: on a terminal, offers to make it."""
    from pathlib import Path

    from estiva.sdk import workspace as sdk

    if not sys.stdin.isatty():
        raise error
    _, _, name = sdk.read_config(sdk.find_config(Path.cwd()))
    typer.echo(error.message, err=True)
    typer.confirm(f"Create the workspace {name!r} now?", abort=True)
    return sdk.Workspace.create(name)


@app.command()
def create(name: str, output: Output = Format.TABLE) -> None:
    """Make a workspace."""
    from estiva.sdk.workspace import Workspace

    created = Workspace.create(name, show_output=False)
    show_fields({"name": created.name}, output)


@app.command("list")
def listing(output: Output = Format.TABLE) -> None:
    """List the workspaces."""
    from estiva.sdk.workspace import Workspace

    rows = [{"name": name} for name in Workspace.list()]
    show_rows(
        rows, ["name"], output, "There are no workspaces yet; `estiva workspace create NAME` makes one."
    )


@app.command(
    "set", epilog="Example:  estiva workspace set base_image=debian:12 registry=registry.example.org/me"
)
def set_defaults(
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME=VALUE...", help="base_image, registry; an empty value takes it away."),
    ] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Set what images are built upon, and where packages are pushed; without settings, show them."""
    from estiva.cli.model import pairs

    found = find(workspace)
    wanted = pairs(settings)
    unknown = sorted(wanted.keys() - {"base_image", "registry"})
    if unknown:
        raise UserErrorException(
            f"A workspace has no setting {', '.join(unknown)}: it has base_image and registry.",
            code="SettingUnknown",
        )
    if wanted:
        found.set_image_defaults(**wanted)
    show_fields({"base_image": found.base_image, "registry": found.registry}, output)


@app.command(epilog="Example:  estiva workspace tls default --tls-cert host.crt --tls-key host.key")
def tls(
    name: str,
    certificate: CertificateFile = None,
    key: KeyFile = None,
    host: HostName = None,
    off: Annotated[bool, typer.Option("--off", help="Speak HTTP again.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Let the port that Kubernetes services share speak TLS, or show its certificate."""
    from estiva.records import now
    from estiva.sdk.tls import shown
    from estiva.sdk.workspace import Workspace

    workspace = Workspace.get(name)
    files = certificates.tls(certificate, key, host)
    if off:
        workspace.disable_ssl()
    elif files:
        workspace.enable_ssl(**files)
    found = workspace.certificate
    show_fields({"name": name, "certificate": shown(found, now()) if found else "none"}, output)


@app.command()
def delete(name: str) -> None:
    """Delete a workspace that has no services."""
    from estiva.sdk.workspace import Workspace

    Workspace.get(name).delete()
    typer.echo(f"Workspace {name} deleted.")
