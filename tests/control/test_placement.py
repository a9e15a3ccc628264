from __future__ import annotations

import pytest

from estiva.control import placement
from estiva.records import EnvironmentSpecification, Runtime, TargetKind

PLAIN = EnvironmentSpecification(name="plain", pip_packages=("numpy",))
IMAGE = EnvironmentSpecification(name="image", base_image="debian:12")
DOCKERFILE = EnvironmentSpecification(name="file", base_dockerfile="FROM debian:12")


@pytest.mark.parametrize(
    ("runtime", "environment", "kind"),
    [
        ("auto", PLAIN, "process"),
        ("auto", IMAGE, "docker"),
        ("auto", DOCKERFILE, "docker"),
        ("docker", PLAIN, "docker"),
        ("process", IMAGE, "process"),
    ],
)
def test_where_a_deployment_goes(
    runtime: Runtime, environment: EnvironmentSpecification, kind: TargetKind
) -> None:
    assert placement.choose(runtime, environment, ("process", "docker")) == kind


def test_a_release_without_containers_runs_processes() -> None:
    kinds: tuple[TargetKind, ...] = ("process",)
    assert placement.choose("auto", IMAGE, kinds) == "process"
