"""`estiva endpoint version`: one of the versions behind an endpoint's address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estiva.cli import completion
from estiva.cli import deploy as deploying
from estiva.cli import environment as environments
from estiva.cli.deploy import EnvFile, EnvironmentName, Framework, Models, SecretFile, Source
from estiva.cli.output import Format, Output, show_json
from estiva.cli.workspace import WorkspaceName, find
from estiva.errors import UserErrorException, WebserviceException

if TYPE_CHECKING:
    from estiva.sdk.endpoint import Endpoint, EndpointVersion
    from estiva.sdk.webservice import Webservice
    from estiva.sdk.workspace import Workspace

app = typer.Typer(name="version", help="The versions of an endpoint.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The endpoint's name.", autocompletion=completion.endpoints)]
Version = Annotated[str, typer.Argument(help="The version's name.", autocompletion=completion.versions)]
Entry = Annotated[
    Path | None,
    typer.Option("--entry", "-e", help="The score script; a model of a known framework needs none."),
]
FrameworkName = Annotated[
    Framework | None,
    typer.Option(
        "--framework", help="Of a model that is served without a score script.", case_sensitive=False
    ),
]
Replicas = Annotated[int | None, typer.Option(help="How many are to serve.", min=1)]
Timeout = Annotated[int | None, typer.Option("--timeout-ms", help="Deadline of a request.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Return as soon as it is accepted.")]
Traffic = Annotated[
    int | None, typer.Option(help="Percent of the requests, once it is healthy.", min=0, max=100)
]
Mirror = Annotated[
    int | None,
    typer.Option(
        help="Percent of the others' requests of which it gets a copy; nobody sees its answers.",
        min=0,
        max=100,
    ),
]
Default = Annotated[
    bool | None, typer.Option("--default", help="Take what no version claims, once it is healthy.")
]
Control = Annotated[bool | None, typer.Option("--control", help="What the others are compared with.")]


@app.command(epilog="Example:  estiva endpoint version create churn new --model model.pkl --traffic 10")
def create(
    name: Name,
    version: Annotated[str, typer.Argument(help="The new version's name.")],
    entry: Entry = None,
    model: Models = None,
    framework: FrameworkName = None,
    source: Source = None,
    env: EnvironmentName = None,
    traffic: Traffic = None,
    mirror: Mirror = None,
    default: Default = None,
    control: Control = None,
    replicas: Replicas = None,
    timeout_ms: Timeout = None,
    env_file: EnvFile = None,
    secrets_file: SecretFile = None,
    no_wait: NoWait = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Deploy a version beside the others; callers notice nothing until it is healthy."""
    endpoint = find_endpoint(workspace, name)
    endpoint.create_version(
        version,
        traffic_percentile=traffic,
        is_default=default,
        is_control_version_type=control,
        mirror_percentile=mirror,
        **content(endpoint.workspace, model, entry, framework, source, env),
        **settings(replicas, timeout_ms, env_file, secrets_file),
    )
    finish(endpoint, no_wait, output)


@app.command(epilog="Example:  estiva endpoint version update churn new --model model.pkl --traffic 50")
def update(
    name: Name,
    version: Version,
    entry: Entry = None,
    model: Models = None,
    source: Source = None,
    env: EnvironmentName = None,
    traffic: Traffic = None,
    mirror: Mirror = None,
    default: Default = None,
    control: Control = None,
    replicas: Replicas = None,
    timeout_ms: Timeout = None,
    env_file: EnvFile = None,
    secrets_file: SecretFile = None,
    no_wait: NoWait = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Replace what is named of a version. It goes on serving until the change is healthy."""
    if env is not None and entry is None:
        raise UserErrorException(
            "--env goes with --entry: say which score script it is for.", code="EntryMissing"
        )
    endpoint = find_endpoint(workspace, name)
    place = endpoint.workspace
    endpoint.update_version(
        version,
        models=deploying.models(place, model) if model else None,
        inference_config=deploying.inference_config(place, entry, source, env) if entry else None,
        traffic_percentile=traffic,
        is_default=default,
        is_control_version_type=control,
        mirror_percentile=mirror,
        **settings(replicas, timeout_ms, env_file, secrets_file),
    )
    finish(endpoint, no_wait, output)


@app.command(epilog="Example:  estiva endpoint version delete churn old")
def delete(name: Name, version: Version, workspace: WorkspaceName = None) -> None:
    """End a version when it has answered what it has; its share goes to the default one."""
    find_endpoint(workspace, name).version(version).delete()
    typer.echo(f"Version {version} of {name} deleted.")


def find_endpoint(workspace: str | None, name: str) -> Endpoint:
    from estiva.sdk.endpoint import Endpoint
    from estiva.sdk.webservice import Webservice

    found = Webservice(find(workspace), name)
    if not isinstance(found, Endpoint):
        raise WebserviceException(
            f"{name!r} is a service, not an endpoint: use `estiva service`. `estiva endpoint create` makes "
            "an endpoint, under another name.",
            code="KindWrong",
        )
    return found


def content(
    workspace: Workspace,
    model: list[str] | None,
    entry: Path | None,
    framework: Framework | None,
    source: Path | None,
    env: str | None,
) -> dict[str, Any]:
    """What a version runs, as parameters of the SDK."""
    script = entry or deploying.default_script(framework)
    inference = deploying.inference_config(workspace, script, source, env) if script else None
    deploying.check_without_script(inference, source, framework, watch=False)
    return {
        "models": deploying.of_framework(deploying.models(workspace, model), framework),
        "inference_config": inference,
        "environment": None if inference else deploying.environment(workspace, env),
    }


def settings(
    replicas: int | None, timeout_ms: int | None, env_file: Path | None, secrets_file: Path | None
) -> dict[str, Any]:
    """How a version runs, as parameters of the SDK: those that were given."""
    given = {
        "num_replicas": replicas,
        "scoring_timeout_ms": timeout_ms,
        "environment_variables": environments.variables(env_file) if env_file else None,
        "secrets": environments.variables(secrets_file) if secrets_file else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def finish(endpoint: Webservice, no_wait: bool, output: Format) -> None:
    if not no_wait:
        deploying.follow(endpoint, output)
    if output is Format.JSON:
        show_json(deploying.fields(endpoint))


def version_fields(version: EndpointVersion) -> dict[str, Any]:
    return {
        "version": version.name,
        "traffic": f"{version.traffic_percentile} %",
        "copies": f"{version.mirror_percentile} %" if version.mirror_percentile else "",
        "role": ", ".join(filter(None, ("default" if version.is_default else "", version.version_type))),
        "state": version.state,
        "models": version.model_ids,
        "generation": version.generation,
        "replicas": deploying.ready_replicas(version),
        "error": version.error,
    }
