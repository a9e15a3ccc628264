"""`estiva endpoint`: several versions of a service behind one address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estiva.cli import completion, endpoint_version
from estiva.cli.access import AuthenticationOption, KeyName, authentication, show_keys
from estiva.cli.deploy import EnvFile, EnvironmentName, Models, SecretFile, Source
from estiva.cli.endpoint_version import (
    Entry,
    FrameworkName,
    Name,
    NoWait,
    Replicas,
    Timeout,
    content,
    find_endpoint,
    finish,
    settings,
    version_fields,
)
from estiva.cli.output import Format, Output, show_fields, show_json, show_rows
from estiva.cli.service import body, refusal
from estiva.cli.workspace import WorkspaceName, find
from estiva.errors import UserErrorException, WebserviceException

if TYPE_CHECKING:
    from estiva.sdk.endpoint import Endpoint

app = typer.Typer(
    name="endpoint",
    help="Several versions of a service behind one address, and their shares of the requests.",
    no_args_is_help=True,
)
app.add_typer(endpoint_version.app)

_SHARE = re.compile(r"([^=\s]+)=(\d{1,3})%?")

OneVersion = Annotated[
    str | None,
    typer.Option("--version", help="Its name; else the default one.", autocompletion=completion.versions),
]


@app.command("list")
def listing(workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """List the endpoints of the workspace."""
    show_rows(
        [fields(one) for one in find(workspace).endpoints.values()],
        ["name", "state", "scoring_uri", "traffic", "updated"],
        output,
        "There is no endpoint yet; `estiva endpoint create NAME --version a --model FILE --entry score.py` "
        "makes one.",
    )


@app.command()
def show(name: Name, workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """Show an endpoint, its versions, and what each of them gets."""
    endpoint = find_endpoint(workspace, name)
    rows = [version_fields(version) for version in endpoint.versions.values()]
    if output is Format.JSON:
        show_json(fields(endpoint) | {"versions": rows})
        return
    show_fields(fields(endpoint), output)
    typer.echo()
    show_rows(rows, ["version", "traffic", "copies", "state", "role", "replicas", "models"], output, "")
    for row in rows:
        if row["error"]:
            typer.echo(f"\n{row['version']}:\n{row['error']}")


@app.command(
    epilog="Example:  estiva endpoint create churn --version old --model model.pkl --entry score.py"
    " --env environment.yml   or   estiva endpoint create churn --model model.pkl --framework ScikitLearn"
)
def create(
    name: Annotated[str, typer.Argument(help="The endpoint's name.")],
    version: Annotated[
        str | None, typer.Option(help="Name of its first version; the endpoint's unless given.")
    ] = None,
    entry: Entry = None,
    model: Models = None,
    framework: FrameworkName = None,
    source: Source = None,
    env: EnvironmentName = None,
    replicas: Replicas = None,
    timeout_ms: Timeout = None,
    env_file: EnvFile = None,
    secrets_file: SecretFile = None,
    auth: AuthenticationOption = None,
    overwrite: Annotated[
        bool, typer.Option(help="If it is there, deploy the version in it, beside the others.")
    ] = False,
    no_wait: NoWait = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Create an endpoint with its first version, and wait until that runs."""
    from estiva.sdk.endpoint import Endpoint
    from estiva.sdk.model import Model

    found = find(workspace)
    given = content(found, model, entry, framework, source, env)
    configuration = Endpoint.deploy_configuration(
        version_name=version,
        **authentication(auth, tokens=True),
        **settings(replicas, timeout_ms, env_file, secrets_file),
    )
    endpoint = Model.deploy(found, name, deployment_config=configuration, overwrite=overwrite, **given)
    finish(endpoint, no_wait, output)


@app.command(
    epilog="Example:  estiva endpoint traffic churn old=90 new=10   or   "
    "estiva endpoint traffic churn --default new"
)
def traffic(
    name: Name,
    shares: Annotated[
        list[str] | None,
        typer.Argument(help="VERSION=PERCENT, as often as needed.", autocompletion=completion.shares),
    ] = None,
    default: Annotated[
        str | None,
        typer.Option(help="Version that takes what no other claims.", autocompletion=completion.versions),
    ] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Divide the requests anew, in one step: all of it, or nothing. What is not named keeps its share."""
    endpoint = find_endpoint(workspace, name)
    if shares or default:
        endpoint.set_traffic(parse_shares(shares or ()), default)
    show_fields({one.name: f"{one.traffic_percentile} %" for one in endpoint.versions.values()}, output)


@app.command(epilog="Example:  estiva endpoint update churn --auth none --sticky-header x-user-id")
def update(
    name: Name,
    auth: AuthenticationOption = None,
    sticky_header: Annotated[
        str | None,
        typer.Option(help='Requests with the same value of it go to the same version; "" for none.'),
    ] = None,
    description: Annotated[str | None, typer.Option(help="What the endpoint is for.")] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Change what is no version's matter; what is not named stays."""
    endpoint = find_endpoint(workspace, name)
    endpoint.update(**authentication(auth, tokens=True), sticky_header=sticky_header, description=description)
    show_fields(fields(endpoint), output)


@app.command(epilog="""Example:  estiva endpoint score churn --data '{"data": [[1, 2]]}' --version new""")
def score(
    name: Name,
    data: Annotated[str | None, typer.Option(help="The request's body; without it, standard input.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--data-file", "-f", help="File with the body.", exists=True, dir_okay=False),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(
            help="Ask this one, whatever its share of the requests.", autocompletion=completion.versions
        ),
    ] = None,
    workspace: WorkspaceName = None,
) -> None:
    """Send a scoring request and print the answer."""
    endpoint = find_endpoint(workspace, name)
    asked = endpoint if version is None else endpoint.version(version)
    try:
        show_json(asked.run(body(data, file)))
    except WebserviceException as error:
        if error.status_code is None:
            raise
        raise WebserviceException(refusal(name, error), code=error.code) from error


@app.command(epilog="Example:  estiva endpoint logs churn --version new --follow")
def logs(
    name: Name,
    version: OneVersion = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new lines, until Ctrl-C.")
    ] = False,
    tail: Annotated[int, typer.Option(help="Number of last lines.")] = 1000,
    workspace: WorkspaceName = None,
) -> None:
    """Print the log of one of its versions."""
    endpoint = find_endpoint(workspace, name)
    logged = endpoint.default_version if version is None else endpoint.version(version)
    if not follow:
        typer.echo(logged.get_logs(num_lines=tail), nl=False)
        return
    for line in logged.follow_logs(num_lines=tail):
        typer.echo(line)


@app.command(epilog="Example:  estiva endpoint measures churn --output json")
def measures(name: Name, workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """Print what became of the newest requests of each version: statuses and latencies."""
    found = find_endpoint(workspace, name).get_measures()
    rows = [{"version": version, **one.model_dump()} for version, one in found.items()]
    columns = ["version", "requests", "statuses", "p50_ms", "p95_ms", "p99_ms", "since"]
    show_rows(rows, columns, output, f"No request has reached {name} yet.")


@app.command(epilog="Example:  estiva endpoint keys churn --regenerate secondary")
def keys(
    name: Name,
    regenerate: Annotated[
        KeyName | None, typer.Option(help="Replace this one first; the other goes on working.")
    ] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Print the two keys of an endpoint that asks for one."""
    show_keys(find_endpoint(workspace, name), regenerate, output)


@app.command()
def delete(name: Name, workspace: WorkspaceName = None) -> None:
    """End all versions of an endpoint, and remove it."""
    find_endpoint(workspace, name).delete()
    typer.echo(f"Endpoint {name} deleted.")


def fields(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": endpoint.name,
        "state": endpoint.state,
        "description": endpoint.description,
        "scoring_uri": endpoint.scoring_uri,
        "auth": "keys" if endpoint.auth_enabled else "token" if endpoint.token_auth_enabled else "none",
        "sticky_header": endpoint.sticky_header,
        "traffic": {one.name: one.traffic_percentile for one in endpoint.versions.values()},
        "updated": endpoint.updated_time,
    }


def parse_shares(given: Sequence[str]) -> dict[str, int]:
    """["old=90", "new=10%"] -> {"old": 90, "new": 10}."""
    found = {}
    for item in given:
        match = _SHARE.fullmatch(item)
        if match is None:
            raise UserErrorException(
                f"{item!r} is no share of the traffic: write VERSION=PERCENT, for example old=90 new=10.",
                code="TrafficInvalid",
            )
        found[match[1]] = int(match[2])
    return found
