from __future__ import annotations

import re

import pytest

from estiva.control import placement
from estiva.records import EnvironmentSpecification, Runtime, ServiceKind, ServiceSettings, TargetKind
from tests.registry.samples import spec

PLAIN = EnvironmentSpecification(name="plain", pip_packages=("numpy",))
IMAGE = EnvironmentSpecification(name="image", base_image="debian:12")
DOCKERFILE = EnvironmentSpecification(name="file", base_dockerfile="FROM debian:12")


@pytest.mark.parametrize(
    ("kind", "runtime", "environment", "target", "without_engine"),
    [
        ("local", "auto", PLAIN, "process", "process"),
        ("local", "auto", IMAGE, "docker", "process"),
        ("kubernetes", "auto", DOCKERFILE, "docker", "process"),
        ("container", "auto", PLAIN, "docker", "process"),
        ("local", "docker", PLAIN, "docker", "docker"),
        ("container", "process", IMAGE, "process", "process"),
    ],
)
def test_where_a_deployment_goes(
    kind: ServiceKind,
    runtime: Runtime,
    environment: EnvironmentSpecification,
    target: TargetKind,
    without_engine: TargetKind,
) -> None:
    assert placement.choose(kind, runtime, environment, lambda: True) == target
    assert placement.choose(kind, runtime, environment, lambda: False) == without_engine


@pytest.mark.parametrize(
    ("kind", "environment", "settings", "said"),
    [
        ("local", PLAIN, ServiceSettings(), None),
        ("local", IMAGE, ServiceSettings(), "base image, .* no container engine answered that has"),
        ("local", IMAGE, ServiceSettings(runtime="process"), "base image, .* you asked for that"),
        ("container", PLAIN, ServiceSettings(), "limits of CPU, memory and GPUs have no effect"),
        ("kubernetes", PLAIN, ServiceSettings(memory_limit=1 << 30), "limits .* have no effect"),
    ],
)
def test_what_a_process_does_not_give_is_said(
    kind: ServiceKind, environment: EnvironmentSpecification, settings: ServiceSettings, said: str | None
) -> None:
    wish = spec().model_copy(update={"environment": environment, "settings": settings})
    told = placement.notice(kind, wish)
    assert told is None if said is None else re.search(said, told or "")
    assert placement.notice(kind, wish.model_copy(update={"target": "docker"})) is None
