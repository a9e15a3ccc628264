"""Which target a deployment goes to, and what the user is told of that. Pure, but for asking the engine."""

from __future__ import annotations

from collections.abc import Callable

from estiva.records import DeploymentSpec, EnvironmentSpecification, Runtime, ServiceKind, TargetKind

_NO_CONTAINER = "no container engine answered that has a base image or can pull one"


def choose(
    kind: ServiceKind,
    runtime: Runtime,
    environment: EnvironmentSpecification,
    containers: Callable[[], bool],
) -> TargetKind:
    """What the user asked for, else a container if that is wanted and possible, else a process."""
    if runtime != "auto":
        return runtime
    return "docker" if wants_container(kind, environment) and containers() else "process"


def wants_container(kind: ServiceKind, environment: EnvironmentSpecification) -> bool:
    return kind == "container" or environment.names_base


def notice(kind: ServiceKind, spec: DeploymentSpec) -> str | None:
    """What of the wish a process does not fulfil; None if it fulfils it, or it is a container."""
    if spec.target != "process":
        return None
    settings = spec.settings
    why = "you asked for that" if settings.runtime == "process" else _NO_CONTAINER
    if spec.environment.names_base:
        return (
            f"The environment names a base image, but the service runs as a process, as {why}: its Python "
            "packages are installed on this machine, and the image is not used."
        )
    limited = settings.cpu_limit or settings.memory_limit or settings.gpus
    if kind == "container" or limited:
        return f"The service runs as a process, as {why}: limits of CPU, memory and GPUs have no effect."
    return None
