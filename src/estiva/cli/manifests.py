"""`estiva manifests`: what a cluster that is run from files needs to serve a packaged image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from estiva.cli import scaling
from estiva.cli.deploy import EnvFile


def add_to(app: typer.Typer) -> None:
    app.command(
        epilog="Example:  estiva manifests diabetes --image registry.example.org/diabetes:1 --replicas 3 "
        "--file diabetes.yaml"
    )(manifests)


def manifests(
    name: Annotated[str, typer.Argument(help="Of the service in the cluster.")],
    image: Annotated[
        str, typer.Option(help="What `estiva package` made, under the name by which the nodes pull it.")
    ],
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Else kubectl's own.")] = None,
    replicas: scaling.Replicas = None,
    minimum: scaling.Minimum = None,
    maximum: scaling.Maximum = None,
    utilization: scaling.Utilization = None,
    cpu: Annotated[float | None, typer.Option(help="CPUs that each replica is to have.")] = None,
    memory: Annotated[float | None, typer.Option(help="GB that each replica is to have.")] = None,
    cpu_limit: Annotated[float | None, typer.Option(help="CPUs that it may use at most.")] = None,
    memory_limit: Annotated[float | None, typer.Option(help="GB that it may use at most.")] = None,
    gpus: Annotated[int | None, typer.Option(help="GPUs of each replica.")] = None,
    timeout_ms: Annotated[int, typer.Option(help="Deadline of a request.")] = 60_000,
    init_timeout: Annotated[float, typer.Option(help="Seconds that init() may take.")] = 600.0,
    env_file: EnvFile = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(help="A Secret of the cluster whose entries are variables of the score script."),
    ] = None,
    pull_secret: Annotated[
        list[str] | None, typer.Option(help="A Secret of the cluster that the image is pulled with.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Write them to this file instead.")] = None,
) -> None:
    """Print Kubernetes manifests that serve a packaged image, for `kubectl apply` or GitOps."""
    from estiva.cli import environment
    from estiva.sdk.kubernetes import KubernetesWebserviceDeploymentConfiguration
    from estiva.sdk.manifests import service_manifests

    config = KubernetesWebserviceDeploymentConfiguration(
        **scaling.parameters(True, replicas, minimum, maximum, utilization, None),
        namespace=namespace,
        cpu_cores=cpu,
        memory_gb=memory,
        cpu_cores_limit=cpu_limit,
        memory_gb_limit=memory_limit,
        gpu_cores=gpus,
        scoring_timeout_ms=timeout_ms,
        init_timeout_sec=init_timeout,
        environment_variables=environment.variables(env_file),
    )
    made = service_manifests(name, image, config, secrets=secret or (), pull_secrets=pull_secret or ())
    if file is None:
        typer.echo(made, nl=False)
    else:
        file.write_text(made)
