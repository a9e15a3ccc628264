"""The options that say how many replicas a service has."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from estiva import sizing
from estiva.errors import UserErrorException

Replicas = Annotated[
    int | None, typer.Option(help="How many are to serve, whatever the load (Kubernetes services).", min=1)
]
Minimum = Annotated[
    int | None, typer.Option("--min", help="Never fewer; 0: none while no request comes.", min=0)
]
Maximum = Annotated[int | None, typer.Option("--max", help="Never more.", min=1)]
Utilization = Annotated[
    str | None,
    typer.Option("--utilization", help="Share of the replicas that is to be busy: 70, 70% or 0.7."),
]
Idle = Annotated[
    float | None,
    typer.Option("--idle", help="With --min 0: seconds without a request until none is left.", min=0),
]
Auto = Annotated[bool | None, typer.Option("--auto/--no-auto", help="Whether the number follows the load.")]


def parameters(
    of_kubernetes: bool,
    replicas: int | None,
    minimum: int | None,
    maximum: int | None,
    utilization: str | None,
    idle: float | None,
) -> dict[str, Any]:
    """The parameters of deploy_configuration that were given. Raises UserErrorException for another kind."""
    share = None if utilization is None else 100 * sizing.read_utilization(utilization)
    bounds = {
        "autoscale_min_replicas": minimum,
        "autoscale_max_replicas": maximum,
        "autoscale_target_utilization": share,
        "autoscale_idle_seconds": idle,
    }
    given = {name: value for name, value in bounds.items() if value is not None}
    if given:
        given["autoscale_enabled"] = True
    if replicas is not None:
        given["num_replicas"] = replicas
    if given and not of_kubernetes:
        raise UserErrorException(
            "A Local service is deployed with one replica. Deploy with --kind kubernetes, or change the "
            "number afterwards: `estiva service scale NAME 3`.",
            code="ReplicasOfLocal",
        )
    return given


def wanted(
    replicas: int | None,
    auto: bool | None,
    minimum: int | None,
    maximum: int | None,
    utilization: str | None,
    idle: float | None,
) -> dict[str, Any]:
    """The parameters of `Webservice.scale` that were given. Raises UserErrorException if none was."""
    share = None if utilization is None else 100 * sizing.read_utilization(utilization)
    given = {
        "replicas": replicas,
        "autoscale": auto,
        "min_replicas": minimum,
        "max_replicas": maximum,
        "target_utilization": share,
        "idle_seconds": idle,
    }
    found = {name: value for name, value in given.items() if value is not None}
    if not found:
        raise UserErrorException(
            "Say how many replicas are to serve (`estiva service scale NAME 3`), or what their number is to "
            "follow (--auto, --min, --max, --utilization).",
            code="ScalingMissing",
        )
    return found
