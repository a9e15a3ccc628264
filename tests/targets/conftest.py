"""Every kind of target, with a place of its own; nothing that ran there is left behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from estiva.environments import shipping
from estiva.home import Home
from estiva.images import builder, planning
from estiva.images.records import BaseImage
from tests.images.conftest import base, client, content
from tests.targets.site import Site

__all__ = ["base", "client"]


@pytest.fixture
def process_site(tmp_path: Path) -> Iterator[Site]:
    home = Home(tmp_path / "home").create()
    site = Site(tmp_path, "process", options={"root": home.replicas, "runtime": home.runtime})
    yield from _cleaned(site)


@pytest.fixture(scope="session")
def image(base: BaseImage) -> str:
    """The scoring server alone: a target copies what is mounted into the container."""
    return builder.build(
        planning.plan_environment(base, content()), print, settings=shipping.build_settings()
    )


@pytest.fixture
def docker_site(tmp_path: Path, image: str) -> Iterator[Site]:
    site = Site(tmp_path, "docker", image=image, options={"owner": f"test-{uuid.uuid4()}"})
    yield from _cleaned(site)


@pytest.fixture(params=["process", "docker"])
def site(request: pytest.FixtureRequest) -> Site:
    """Every kind of target in turn."""
    found = request.getfixturevalue(f"{request.param}_site")
    assert isinstance(found, Site)
    return found


def _cleaned(site: Site) -> Iterator[Site]:
    yield site
    target = site.target()
    left = target.keys()
    for key in left:
        target.delete(key)
    assert target.keys() == ()
