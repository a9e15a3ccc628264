"""`estiva ml endpoint realtime`: endpoints with several versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from estiva.cli.ml import options
from estiva.cli.ml.options import InferenceFile, Models, Name, WorkspaceName
from estiva.cli.output import Format, Output, show_rows
from estiva.errors import WebserviceException

if TYPE_CHECKING:
    from estiva.azureml.aks_endpoint import AksEndpoint

app = typer.Typer(
    name="realtime", help="Endpoints: versions and their share of the requests.", no_args_is_help=True
)

Version = Annotated[str, typer.Option("--version-name", "-v", help="The version's name.")]
Traffic = Annotated[
    int | None, typer.Option("--traffic-percentile", help="Percent of the requests that it gets.")
]
Default = Annotated[bool, typer.Option("--is-default", help="It takes what no other version claims.")]


@app.command("create-version")
def create_version(
    name: Name,
    version: Version,
    model: Models = None,
    ic: InferenceFile = None,
    traffic: Traffic = None,
    default: Default = False,
    workspace: WorkspaceName = None,
) -> None:
    """Deploy a version beside the others, and wait until it runs."""
    endpoint = find_endpoint(workspace, name)
    endpoint.create_version(
        version,
        models=model or [],
        inference_config=options.inference(ic, endpoint.workspace),
        traffic_percentile=traffic,
        is_default=default or None,
    )
    endpoint.wait_for_deployment(show_output=True)


@app.command("update-version")
def update_version(
    name: Name,
    version: Version,
    model: Models = None,
    ic: InferenceFile = None,
    traffic: Traffic = None,
    default: Default = False,
    workspace: WorkspaceName = None,
) -> None:
    """Replace what is given of a version, and wait for it."""
    endpoint = find_endpoint(workspace, name)
    endpoint.update_version(
        version,
        models=model or None,
        inference_config=options.inference(ic, endpoint.workspace),
        traffic_percentile=traffic,
        is_default=default or None,
    )
    endpoint.wait_for_deployment(show_output=True)


@app.command("delete-version")
def delete_version(name: Name, version: Version, workspace: WorkspaceName = None) -> None:
    """End a version."""
    find_endpoint(workspace, name).delete_version(version)
    typer.echo(f"Version {version} of {name} deleted.")


@app.command()
def show(name: Name, workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """Show the versions of an endpoint."""
    rows = [
        {
            "version": version.name,
            "state": version.state,
            "traffic": version.traffic_percentile,
            "default": version.is_default,
            "type": version.version_type,
        }
        for version in find_endpoint(workspace, name).versions.values()
    ]
    show_rows(rows, ["version", "state", "traffic", "default", "type"], output, "There are no versions.")


def find_endpoint(workspace: str | None, name: str) -> AksEndpoint:
    from estiva.azureml.aks_endpoint import AksEndpoint
    from estiva.azureml.kinds import Webservice

    found = Webservice(options.find(workspace), name)
    if not isinstance(found, AksEndpoint):
        raise WebserviceException(
            f"{name} is a service, not an endpoint: use `estiva ml service`.", code="KindWrong"
        )
    return found
