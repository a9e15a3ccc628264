"""`estiva deploy`: from files to a running service in one command."""

from __future__ import annotations

import contextlib
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estiva.cli import environment as environments
from estiva.cli import scaling
from estiva.cli.access import Authentication, AuthenticationOption, RateOption, authentication, warn_if_public
from estiva.cli.certificate import CertificateFile, HostName, KeyFile, tls
from estiva.cli.output import Format, Output, show_json, wrapped
from estiva.cli.workspace import WorkspaceName, find
from estiva.errors import EstivaError, MissingModelPath, UserErrorException, WebserviceException
from estiva.records import ReplicaPhase

if TYPE_CHECKING:
    from estiva.sdk.configuration import WebserviceDeploymentConfiguration
    from estiva.sdk.environment import Environment
    from estiva.sdk.inference import InferenceConfig
    from estiva.sdk.model import Model
    from estiva.sdk.webservice import Webservice
    from estiva.sdk.workspace import Workspace

_INTERRUPTED = 130


class Kind(str, Enum):
    LOCAL = "local"
    CONTAINER = "container"
    KUBERNETES = "kubernetes"


class Runtime(str, Enum):
    """Where replicas run: records.Runtime."""

    AUTO = "auto"
    PROCESS = "process"
    DOCKER = "docker"


class Until(str, Enum):
    ENVIRONMENT = "environment"
    IMAGE = "image"
    START = "start"
    INIT = "init"


class Framework(str, Enum):
    """Of the models that need no score script: contract.NO_CODE_SCRIPTS."""

    SCIKIT_LEARN = "ScikitLearn"
    ONNX = "Onnx"
    XGBOOST = "XGBoost"
    LIGHTGBM = "LightGBM"
    MLFLOW = "MLflow"


Models = Annotated[
    list[str] | None,
    typer.Option("--model", "-m", help="A file, a folder, NAME or NAME:VERSION; may be repeated."),
]
Source = Annotated[
    Path | None,
    typer.Option(
        "--source", "-s", help="Folder that ships with the score script, whose path is then below it."
    ),
]
EnvironmentName = Annotated[
    str | None,
    typer.Option("--env", help="A conda YAML, a requirements .txt, or a registered NAME or NAME:VERSION."),
]
EnvFile = Annotated[
    Path | None,
    typer.Option(help="File of NAME=VALUE lines for the score script.", exists=True, dir_okay=False),
]
SecretFile = Annotated[
    Path | None,
    typer.Option(
        "--secrets-file",
        help="Like --env-file; the values never show in output.",
        exists=True,
        dir_okay=False,
    ),
]


def add_to(app: typer.Typer) -> None:
    app.command(
        epilog="Example:  estiva deploy mysvc --model model.pkl --entry score.py --env myenv.yml --port 8890"
        "   or   estiva deploy mysvc --model model.pkl --framework ScikitLearn"
    )(deploy)


def deploy(
    name: Annotated[str | None, typer.Argument(help="The service's name.")] = None,
    entry: Annotated[
        Path | None,
        typer.Option(
            "--entry",
            "-e",
            help="The score script, with init() and run(data); else score.py, if it is here. "
            "A model of a known framework needs none.",
        ),
    ] = None,
    model: Models = None,
    framework: Annotated[
        Framework | None,
        typer.Option(help="Of a model that is served without a score script.", case_sensitive=False),
    ] = None,
    source: Source = None,
    env: EnvironmentName = None,
    kind: Annotated[
        Kind,
        typer.Option(
            help="Local and Container services have a port of their own, the latter limits too; Kubernetes "
            "services share a port."
        ),
    ] = Kind.LOCAL,
    port: Annotated[
        int | None, typer.Option(help="Port of the service's own; a free one is chosen otherwise.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on, with a port; 127.0.0.1 unless given.")
    ] = None,
    runtime: Annotated[
        Runtime,
        typer.Option(help="Where it runs; auto: in a container if the environment names a base image."),
    ] = Runtime.AUTO,
    cpu: Annotated[
        float | None, typer.Option(help="Processors: the limit of a container, what a pod reserves.")
    ] = None,
    memory: Annotated[
        float | None, typer.Option(help="Gigabytes: the limit of a container, what a pod reserves.")
    ] = None,
    timeout_ms: Annotated[int, typer.Option(help="Deadline of a request.")] = 60_000,
    init_timeout: Annotated[float, typer.Option(help="Seconds that init() may take.")] = 600.0,
    env_file: EnvFile = None,
    secrets_file: SecretFile = None,
    debug: Annotated[bool, typer.Option(help="Answer with tracebacks when run() fails.")] = False,
    until: Annotated[
        Until | None, typer.Option(help="Stop after this step, and leave it to be looked at: estiva shell.")
    ] = None,
    auth: AuthenticationOption = None,
    rate: RateOption = None,
    tls_cert: CertificateFile = None,
    tls_key: KeyFile = None,
    tls_name: HostName = None,
    replicas: scaling.Replicas = None,
    minimum: scaling.Minimum = None,
    maximum: scaling.Maximum = None,
    utilization: scaling.Utilization = None,
    idle: scaling.Idle = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            "-f",
            help="A deployment.yml or endpoint.yml of Azure ML's v2 command line, instead of all else; may "
            "be repeated.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a service of this name.")] = False,
    watch: Annotated[bool, typer.Option(help="Stay, and reload when the scripts are saved.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Return as soon as it is accepted.")] = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Deploy models and a score script as a service, and wait until it runs."""
    from estiva.sdk.model import Model

    if file or name is None:
        deploy_files(workspace, name, file, output)
        return
    found = find(workspace)
    warn_if_public(host, auth)
    configuration = configuration_of(
        kind,
        auth,
        port=port,
        host=host,
        runtime=runtime.value,
        scoring_timeout_ms=timeout_ms,
        init_timeout_sec=init_timeout,
        debug=debug,
        until=until.value if until else None,
        environment_variables=environments.variables(env_file),
        secrets=environments.variables(secrets_file),
        requests_per_second=rate,
        **resources(kind, cpu, memory),
        **tls(tls_cert, tls_key, tls_name),
        **scaling.parameters(kind is Kind.KUBERNETES, replicas, minimum, maximum, utilization, idle),
    )
    script = entry or default_script(framework)
    inference = inference_config(found, script, source, env) if script else None
    check_without_script(inference, source, framework, watch)
    service = Model.deploy(
        found,
        name,
        of_framework(models(found, model), framework),
        inference,
        configuration,
        overwrite=overwrite,
        environment=None if inference else environment(found, env),
    )
    if not no_wait:
        follow(service, output)
    if output is Format.JSON:
        show_json(fields(service))
    if watch and inference:
        reload_on_save(service, inference)


def configuration_of(
    kind: Kind, auth: Authentication | None, port: int | None, host: str | None, **parameters: Any
) -> WebserviceDeploymentConfiguration:
    from estiva.sdk.webservice import class_of

    place = {name: value for name, value in (("port", port), ("host", host)) if value is not None}
    if place and kind is Kind.KUBERNETES:
        raise UserErrorException(
            f"Leave out --{' and --'.join(place)}: Kubernetes services share the port of their workspace, "
            "each below its own path. A Local or Container service has a port of its own.",
            code="PortShared",
        )
    access = authentication(auth, tokens=kind is Kind.KUBERNETES)
    return class_of(kind.value).deploy_configuration(**place, **access, **parameters)


def resources(kind: Kind, cpu: float | None, memory: float | None) -> dict[str, float]:
    """The parameters of deploy_configuration that were given; UserErrorException for a Local service."""
    given = {name: value for name, value in (("cpu_cores", cpu), ("memory_gb", memory)) if value is not None}
    if given and kind is Kind.LOCAL:
        raise UserErrorException(
            "A Local service has no limits of CPU and memory. Deploy with --kind container.",
            code="LimitsOfLocal",
        )
    return given


def deploy_files(workspace: str | None, name: str | None, files: list[Path] | None, output: Format) -> None:
    """An endpoint and its versions, as the files describe them."""
    from estiva.azureml import manifests
    from estiva.azureml.workspace import Workspace

    if not files or name is not None:
        raise typer.BadParameter("Missing argument 'NAME', or --file in its place: the files have names.")
    endpoint = manifests.deploy(Workspace.get(find(workspace).name), files)
    if output is Format.JSON:
        show_json(fields(endpoint))


def default_script(framework: Framework | None) -> Path | None:
    """score.py of this folder, unless a framework was named, which is served without."""
    script = Path("score.py")
    return script if framework is None and script.is_file() else None


def check_without_script(
    inference: InferenceConfig | None, source: Path | None, framework: Framework | None, watch: bool
) -> None:
    """Raises UserErrorException for options that contradict each other."""
    if inference is not None and framework is not None:
        raise UserErrorException(
            "Give --entry or --framework, not both: a framework is for a model without a score script.",
            code="FrameworkUnused",
        )
    if inference is None and (source is not None or watch):
        raise UserErrorException(
            f"{'--source' if source else '--watch'} needs a score script: name it with --entry "
            f"(there is no score.py in {Path.cwd()}).",
            code="EntryMissing",
        )


def of_framework(given: list[Any], framework: Framework | None) -> list[Any]:
    from estiva.sdk.deploying import reference

    if framework is None:
        return given
    return [reference(item).model_copy(update={"framework": framework.value}) for item in given]


def follow(service: Webservice, output: Format) -> None:
    """Waits until the newest change of the service serves; for people, shows its steps."""
    try:
        service.wait_for_deployment(show_output=output is Format.TABLE)
    except KeyboardInterrupt:
        typer.echo(
            wrapped(
                f"\nInterrupted; the deployment of {service.name} goes on. "
                f"`estiva service show {service.name}` tells how it stands."
            ),
            err=True,
        )
        raise typer.Exit(_INTERRUPTED) from None


def inference_config(
    workspace: Workspace, entry: Path, source: Path | None, env: str | None
) -> InferenceConfig:
    from estiva.sdk.inference import InferenceConfig

    return InferenceConfig(
        entry_script=str(entry),
        source_directory=str(source) if source else None,
        environment=environment(workspace, env),
    )


def environment(workspace: Workspace, given: str | None) -> Environment | None:
    """A file, else a registered environment; None for the packages that run now."""
    from estiva.sdk.environment import Environment

    if given is None:
        return None
    path = Path(given)
    if path.is_file():
        return environments.read(path.stem, path)
    if path.suffix in (".yml", ".yaml", ".txt"):
        raise UserErrorException(f"The environment file {given} does not exist.", code="FileNotFound")
    name, _, version = given.partition(":")
    return Environment.get(workspace, name, version or None)


def models(workspace: Workspace, given: list[str] | None) -> list[Any]:
    """Paths and NAME:VERSION as they are; a bare NAME becomes its newest version."""
    return [
        item if Path(item).exists() or ":" in item or "/" in item else newest(workspace, item)
        for item in given or ()
    ]


def newest(workspace: Workspace, name: str) -> Model:
    from estiva.sdk.model import Model

    try:
        return Model(workspace, name=name)
    except WebserviceException as error:
        if error.code != "ModelNotFound":
            raise
        raise MissingModelPath(
            f"{name!r} is neither a file or folder here ({Path.cwd()}) nor a registered model. "
            "Check the path; `estiva model list` shows what is registered."
        ) from error


def fields(service: Webservice) -> dict[str, Any]:
    return {
        "name": service.name,
        "state": service.state,
        "kind": service.compute_type,
        "port": service.port,
        "scoring_uri": service.scoring_uri,
        "certificate": service.certificate,
        "models": service.model_ids,
        "generation": service.generation,
        "replicas": ready_replicas(service),
        "trouble": service.trouble,
        "scaling": service.scaling,
        "step": step(service),
        "error": service.error,
        "updated": service.updated_time,
    }


def ready_replicas(service: Webservice) -> str:
    """Those that are ready, of those that are wanted."""
    ready = sum(replica.phase is ReplicaPhase.READY for replica in service.replicas)
    return f"{ready} of {service.wanted_replicas} ready"


def step(service: Webservice) -> str | None:
    """Where the newest change stands, while it is under way or when it failed."""
    last = service.steps[-1] if service.steps else None
    if last is None or last.state == "succeeded":
        return None
    return f"{last.name.value} ({last.state})"


def reload_on_save(service: Webservice, inference: InferenceConfig) -> None:
    """Until Ctrl-C: each time a Python file is saved, a reload; a failed one leaves the present serving."""
    from watchfiles import Change, PythonFilter, watch

    entry = inference.entry_path.absolute()
    everything = PythonFilter()

    def is_ours(change: Change, path: str) -> bool:
        return everything(change, path) if inference.source_directory else Path(path) == entry

    # A script alone is watched through its folder: editors save by replacing the file.
    place = inference.source_directory or entry.parent
    typer.echo(f"Watching {inference.source_directory or entry}; Ctrl-C ends this, not the service.")
    with contextlib.suppress(KeyboardInterrupt):
        for _ in watch(
            place,
            watch_filter=is_ours,
            raise_interrupt=True,
            recursive=inference.source_directory is not None,
        ):
            typer.echo("Saved; reloading.")
            try_reload(service)


def try_reload(service: Webservice) -> None:
    try:
        service.reload()
        service.wait_for_deployment(show_output=True)
    except EstivaError as error:
        typer.echo(wrapped(f"Error: {error.message}"), err=True)
