"""Which version answers, counted at real replicas."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from estiva.gateway import Gateway
from estiva.records import VERSION_HEADER, Route
from tests.gateway.conftest import PATIENCE, MakeBackend, MakeRoute, url

pytestmark = pytest.mark.haproxy


@pytest.fixture
def split(gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute) -> Route:
    """40 percent to "forty", 10 to "ten", the rest to the default; sticky by x-user."""
    versions = [
        make_route(make_backend(name)).default.model_copy(
            update={"name": name, "weight": weight, "is_default": not weight}
        )
        for name, weight in (("forty", 40), ("rest", 0), ("ten", 10))
    ]
    route = make_route(kind="endpoint", versions=tuple(versions), sticky_header="x-user")
    gateway.apply([route])
    return route


def answers(route: Route, count: int, **headers: str) -> Counter[str]:
    with httpx.Client(timeout=PATIENCE, headers=headers) as client:
        return Counter(client.post(url(route)).text for _ in range(count))


def test_of_any_hundred_requests_each_version_gets_its_share(split: Route) -> None:
    answers(split, 7)
    for _ in range(2):
        assert answers(split, 100) == {"forty": 40, "ten": 10, "rest": 50}
    assert len(answers(split, 10)) > 1, "shares do not come in one piece"


def test_requests_with_one_value_of_the_sticky_header_stay_together(split: Route) -> None:
    chosen = {user: answers(split, 3, **{"x-user": f"user-{user}"}) for user in range(30)}
    assert all(len(one) == 1 for one in chosen.values())
    assert len({next(iter(one)) for one in chosen.values()}) > 1


def test_sticky_requests_are_not_counted(split: Route) -> None:
    answers(split, 5, **{"x-user": "me"})
    assert answers(split, 100) == {"forty": 40, "ten": 10, "rest": 50}


def test_a_header_picks_a_version(split: Route) -> None:
    assert answers(split, 5, **{VERSION_HEADER: "ten"}) == {"ten": 5}
    assert answers(split, 5, **{VERSION_HEADER: "ten", "x-user": "me"}) == {"ten": 5}


def test_a_version_that_is_not_there_is_404(split: Route) -> None:
    response = httpx.post(url(split), headers={VERSION_HEADER: "other"})
    assert response.status_code == 404
    assert response.json()["message"] == (
        f"There is no such version of endpoint sum as {VERSION_HEADER} names."
    )
