"""`estiva ml service`."""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from estiva.cli.deploy import fields
from estiva.cli.ml import options
from estiva.cli.ml.options import DeploymentFile, InferenceFile, Models, Name, WorkspaceName
from estiva.cli.output import Format, Output, show_fields, show_rows

if TYPE_CHECKING:
    from estiva.azureml.webservice import Webservice

app = typer.Typer(name="service", help="Deployed services.", no_args_is_help=True)


class Key(str, Enum):
    PRIMARY = "Primary"
    SECONDARY = "Secondary"


@app.command("list")
def listing(workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """List the services of the workspace."""
    rows = [fields(service) for service in options.find(workspace).webservices.values()]
    columns = ["name", "state", "kind", "scoring_uri", "models", "updated"]
    show_rows(rows, columns, output, "No services are deployed yet.")


@app.command()
def show(name: Name, workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """Show a service."""
    show_fields(fields(find_service(workspace, name)), output)


@app.command(epilog="""Example:  estiva ml service run -n mysvc -d '{"data": [1, 2]}'""")
def run(
    name: Name,
    data: Annotated[str, typer.Option("--input-data", "-d", help="The body of the request.")],
    workspace: WorkspaceName = None,
) -> None:
    """Send a request and print the answer as JSON."""
    typer.echo(json.dumps(find_service(workspace, name).run(data)))


@app.command("get-logs")
def get_logs(
    name: Name,
    lines: Annotated[int, typer.Option("--num_lines", help="How many of the last lines.")] = 5000,
    workspace: WorkspaceName = None,
) -> None:
    """Print the service's log."""
    typer.echo(find_service(workspace, name).get_logs(lines), nl=False)


@app.command()
def update(
    name: Name,
    model: Models = None,
    ic: InferenceFile = None,
    dc: DeploymentFile = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Return as soon as it is accepted.")] = False,
    workspace: WorkspaceName = None,
) -> None:
    """Replace what is given; the service goes on serving meanwhile."""
    service = find_service(workspace, name)
    service.replace(model or None, options.inference(ic, service.workspace), options.deployment(dc))
    if not no_wait:
        service.wait_for_deployment(show_output=True)


@app.command()
def delete(name: Name, workspace: WorkspaceName = None) -> None:
    """End a service and remove it."""
    find_service(workspace, name).delete()
    typer.echo(f"Service {name} deleted.")


@app.command("get-keys")
def get_keys(name: Name, workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """Print the two keys of a service that asks for one."""
    primary, secondary = find_service(workspace, name).get_keys()
    show_fields({"primaryKey": primary, "secondaryKey": secondary}, output)


@app.command("regen-key")
def regen_key(
    name: Name,
    key: Annotated[Key, typer.Option("--key", "-k", help="Which one.", case_sensitive=False)],
    workspace: WorkspaceName = None,
) -> None:
    """Replace one of the two keys; the other goes on working."""
    find_service(workspace, name).regen_key(key.value)
    typer.echo(f"The {key.value} key of {name} is another now.")


def find_service(workspace: str | None, name: str) -> Webservice:
    from estiva.azureml.kinds import Webservice

    return Webservice(options.find(workspace), name)
