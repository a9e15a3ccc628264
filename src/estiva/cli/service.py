"""`estiva service`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estiva.cli import completion, scaling
from estiva.cli import deploy as deploying
from estiva.cli import environment as environments
from estiva.cli.access import AuthenticationOption, KeyName, RateOption, authentication, show_keys, show_token
from estiva.cli.certificate import CertificateFile, HostName, KeyFile, tls
from estiva.cli.deploy import EnvFile, EnvironmentName, Models, SecretFile, Source, fields
from estiva.cli.output import Format, Output, show_fields, show_json, show_rows, wrapped
from estiva.cli.workspace import WorkspaceName, find
from estiva.errors import UserErrorException, WebserviceException

if TYPE_CHECKING:
    from estiva.sdk.configuration import WebserviceDeploymentConfiguration
    from estiva.sdk.webservice import Webservice

app = typer.Typer(name="service", help="Deployed services.", no_args_is_help=True)


Name = Annotated[str, typer.Argument(help="The service's name.", autocompletion=completion.services)]


@app.command("list")
def listing(workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """List the services of the workspace."""
    rows = [fields(service) for service in find(workspace).webservices.values()]
    show_rows(
        rows,
        ["name", "state", "scoring_uri", "models", "updated"],
        output,
        "No services are deployed yet; `estiva deploy NAME --model FILE --entry score.py` deploys one.",
    )


@app.command()
def show(name: Name, workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """Show a service, and why its newest generation failed if it did."""
    service = find_service(workspace, name)
    problems = [] if service.error else [finding.title for finding in service.diagnose()]
    show_fields({**fields(service), "problems": problems}, output)
    if service.certificate_warning:
        typer.echo(wrapped(service.certificate_warning), err=True)
    if problems and output is Format.TABLE:
        typer.echo(f"\nWhy, and what to do:  estiva diagnose {name}")


@app.command(epilog="""Example:  estiva service run mysvc --data '{"data": [[1, 2]]}'""")
def run(
    name: Name,
    data: Annotated[str | None, typer.Option(help="The request's body; without it, standard input.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--data-file", "-f", help="File with the body.", exists=True, dir_okay=False),
    ] = None,
    workspace: WorkspaceName = None,
) -> None:
    """Send a scoring request and print the answer."""
    service = find_service(workspace, name)
    try:
        show_json(service.run(body(data, file)))
    except WebserviceException as error:
        if error.status_code is None:
            raise
        raise WebserviceException(refusal(name, error), code=error.code) from error


@app.command(epilog="Example:  estiva service logs mysvc --follow")
def logs(
    name: Name,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new lines, until Ctrl-C.")
    ] = False,
    tail: Annotated[int, typer.Option(help="Number of last lines.")] = 1000,
    workspace: WorkspaceName = None,
) -> None:
    """Print a service's log."""
    service = find_service(workspace, name)
    if not follow:
        typer.echo(service.get_logs(num_lines=tail), nl=False)
        return
    for line in service.follow_logs(num_lines=tail):
        typer.echo(line)


@app.command()
def reload(name: Name, workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """Serve the scripts as they are now at their original place."""
    service = find_service(workspace, name)
    service.reload()
    finish(service, output)


@app.command(epilog="Example:  estiva service update mysvc --model iris:2 --entry score.py")
def update(
    name: Name,
    model: Models = None,
    entry: Annotated[Path | None, typer.Option("--entry", "-e", help="The new score script.")] = None,
    source: Source = None,
    env: EnvironmentName = None,
    timeout_ms: Annotated[int | None, typer.Option(help="Deadline of a request.")] = None,
    debug: Annotated[bool | None, typer.Option(help="Answer with tracebacks when run() fails.")] = None,
    auth: AuthenticationOption = None,
    rate: RateOption = None,
    tls_cert: CertificateFile = None,
    tls_key: KeyFile = None,
    tls_name: HostName = None,
    no_tls: Annotated[bool, typer.Option("--no-tls", help="Speak HTTP again.")] = False,
    env_file: EnvFile = None,
    secrets_file: SecretFile = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Replace the models, the score script, or settings; what is not named stays."""
    found = find(workspace)
    service = find_service(workspace, name)
    if env is not None and entry is None:
        raise UserErrorException(
            "--env goes with --entry: say which score script it is for.", code="EntryMissing"
        )
    inference = deploying.inference_config(found, entry, source, env) if entry else None
    changes: dict[str, Any] = {
        "scoring_timeout_ms": timeout_ms,
        "debug": debug,
        "environment_variables": environments.variables(env_file) if env_file else None,
        "secrets": environments.variables(secrets_file) if secrets_file else None,
        "requests_per_second": rate,
        **tls(tls_cert, tls_key, tls_name),
        "ssl_enabled": False if no_tls else None,
        **authentication(auth, tokens=service.compute_type == "AKS"),
    }
    service.update(
        models=deploying.models(found, model) if model else None,
        inference_config=inference,
        deployment_config=_configuration(service, changes),
    )
    finish(service, output)


@app.command(epilog="Example:  estiva service scale mysvc 3   or   estiva service scale mysvc --max 8")
def scale(
    name: Name,
    replicas: Annotated[
        int | None, typer.Argument(help="How many are to serve, whatever the load.", min=1)
    ] = None,
    minimum: scaling.Minimum = None,
    maximum: scaling.Maximum = None,
    utilization: scaling.Utilization = None,
    idle: scaling.Idle = None,
    auto: scaling.Auto = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Return as soon as it is accepted.")] = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Change the number of replicas, or let it follow the load; no request is lost, nothing deployed anew."""
    wanted = scaling.wanted(replicas, auto, minimum, maximum, utilization, idle)
    service = find_service(workspace, name)
    service.scale(**wanted, wait=not no_wait)
    show_fields(fields(service), output)


@app.command(epilog="Example:  estiva service keys mysvc --regenerate secondary")
def keys(
    name: Name,
    regenerate: Annotated[
        KeyName | None, typer.Option(help="Replace this one first; the other goes on working.")
    ] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Print the two keys of a service that asks for one."""
    show_keys(find_service(workspace, name), regenerate, output)


@app.command(epilog="Example:  estiva service token mysvc --revoke")
def token(
    name: Name,
    revoke: Annotated[bool, typer.Option("--revoke", help="End all tokens that were given out.")] = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Print a token, good for an hour, for the callers of a service that asks for one."""
    show_token(find_service(workspace, name), revoke, output)


@app.command()
def delete(name: Name, workspace: WorkspaceName = None) -> None:
    """End a service and remove it."""
    find_service(workspace, name).delete()
    typer.echo(f"Service {name} deleted.")


def _configuration(service: Webservice, changes: dict[str, Any]) -> WebserviceDeploymentConfiguration | None:
    """Only if something of it was named; the rest as it is deployed."""
    if all(value is None for value in changes.values()):
        return None
    return service.deployment_configuration(**changes)


def finish(service: Webservice, output: Format) -> None:
    deploying.follow(service, output)
    if output is Format.JSON:
        show_json(fields(service))


def find_service(workspace: str | None, name: str) -> Webservice:
    from estiva.sdk.webservice import Webservice

    return Webservice(find(workspace), name)


def refusal(name: str, error: WebserviceException) -> str:
    """What the service answered, without the headers that scripts find in the exception."""
    text = (error.body or b"").decode(errors="replace")
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    message, trace = (said.get("message"), said.get("traceback")) if isinstance(said, dict) else (text, None)
    told = f"{name} answered {error.status_code}: {message}\nRead its log with: estiva service logs {name}"
    return f"{told}\n\n{trace.rstrip()}" if trace else told


def body(data: str | None, file: Path | None) -> bytes:
    if data is not None and file is not None:
        raise UserErrorException("Give --data or --data-file, not both.", code="DataTwice")
    if data is not None:
        return data.encode()
    return file.read_bytes() if file is not None else sys.stdin.buffer.read()
