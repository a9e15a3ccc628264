"""`estiva replicas`: the sizing rule."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from estiva import sizing
from estiva.cli.output import Format, Output, show_fields
from estiva.machine import machine

_GB = 1000**3


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example:  estiva replicas --rps 20 --seconds 10 --concurrency 1 --utilization 0.7")(
        replicas
    )


def replicas(
    rps: Annotated[float, typer.Option(help="Requests per second.")],
    seconds: Annotated[float, typer.Option(help="Seconds that one request runs.")],
    concurrency: Annotated[int, typer.Option(help="Requests that one replica handles at a time.")] = 1,
    utilization: Annotated[str, typer.Option(help="Target utilization: 70, 70% or 0.7.")] = "70%",
    cpu: Annotated[float | None, typer.Option(help="CPU cores of one replica.", min=0)] = None,
    memory_gb: Annotated[float | None, typer.Option(help="Memory of one replica, in GB.", min=0)] = None,
    output: Output = Format.TABLE,
) -> None:
    """Compute how many replicas a load needs, and what CPU and memory that means."""
    share = sizing.read_utilization(utilization)
    number = sizing.replicas(rps, seconds, concurrency, share)
    fields: dict[str, Any] = {"replicas": number}
    here = machine()
    fields |= _resource("cpu", number, cpu, here.cpus)
    fields |= _resource("memory_gb", number, memory_gb, round(here.memory / _GB, 1))
    if output is Format.TABLE:
        fields["because"] = (
            f"{rps:g} requests/s x {seconds:g} s / {share:.4g} utilization / {concurrency} at a time"
        )
        fields["this_machine"] = _this_machine(fields)
    show_fields(fields, output)


def _resource(name: str, number: int, each: float | None, here: float) -> dict[str, Any]:
    """What all replicas together take, what this machine has, and how many of them that is enough for."""
    if not each:
        return {}
    total = float(f"{number * each:.6g}")
    return {name: total, f"{name}_here": here, f"replicas_for_{name}_here": math.floor(round(here / each, 9))}


def _this_machine(fields: dict[str, Any]) -> str:
    room = [fields[name] for name in fields if name.startswith("replicas_for_")]
    if not room:
        return ""
    most = min(room)
    if most >= fields["replicas"]:
        return f"has room for {most}"
    return f"has room for {most} of the {fields['replicas']} replicas: more machines are needed"
