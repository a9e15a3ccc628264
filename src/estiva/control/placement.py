"""Which target a deployment goes to. Pure."""

from __future__ import annotations

from collections.abc import Collection

from estiva.records import EnvironmentSpecification, Runtime, TargetKind


def choose(
    runtime: Runtime, environment: EnvironmentSpecification, kinds: Collection[TargetKind]
) -> TargetKind:
    """What the user asked for, else a container if the environment asks for one, else a process."""
    if runtime != "auto":
        return runtime
    return "docker" if "docker" in kinds and wants_image(environment) else "process"


def wants_image(environment: EnvironmentSpecification) -> bool:
    return environment.base_image is not None or environment.base_dockerfile is not None
