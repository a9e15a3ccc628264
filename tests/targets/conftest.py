"""Every kind of target, with a place of its own; nothing that ran there is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from estiva.home import Home
from tests.targets.site import Site


@pytest.fixture
def process_site(tmp_path: Path) -> Iterator[Site]:
    home = Home(tmp_path / "home").create()
    site = Site(tmp_path, "process", options={"root": home.replicas, "runtime": home.runtime})
    yield from _cleaned(site)


@pytest.fixture(params=["process"])
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
