"""Copies of requests, as real replicas see them, and those who sent the requests."""

from __future__ import annotations

import time
from hashlib import sha256

import httpx
import pytest

from estiva.gateway import Gateway, binary
from estiva.records import VERSION_HEADER, Access, Route
from tests.gateway.conftest import PATIENCE, Backend, MakeBackend, MakeRoute, url

pytestmark = pytest.mark.haproxy

KEY = "a-key-of-mine"


class Mirrored:
    """A route with the versions "serves" and "shadow"; the second gets a copy of everything."""

    def __init__(self, gateway: Gateway, serves: Backend, shadow: Backend, make_route: MakeRoute) -> None:
        self.gateway = gateway
        self.shadow = shadow
        self._versions = tuple(
            make_route(backend).default.model_copy(
                update={"name": backend.name, "is_default": backend is serves, "mirror": mirror}
            )
            for backend, mirror in ((serves, 0), (shadow, 100))
        )
        self._make_route = make_route

    def apply(self, access: Access | None = None) -> Route:
        route = self._make_route(kind="endpoint", versions=self._versions, access=access)
        self.gateway.apply([route])
        return route

    def wait_for_copies(self, number: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while len(self.copies) < number:
            assert time.monotonic() < deadline, f"{len(self.copies)} of {number} copies"
            time.sleep(0.01)

    @property
    def copies(self) -> list[dict[str, str]]:
        return [request for request in self.shadow.requests if request["path"] == "/score"]


@pytest.fixture
def mirrored(gateway: Gateway, make_backend: MakeBackend, make_route: MakeRoute) -> Mirrored:
    if not binary.has_lua():
        pytest.skip("this HAProxy was built without Lua")
    return Mirrored(gateway, make_backend("serves"), make_backend("shadow"), make_route)


def test_a_copy_of_each_request_arrives_and_its_answer_does_not(mirrored: Mirrored) -> None:
    route = mirrored.apply()
    sent = {"x-request-id": "mine", "x-color": "red"}
    assert {httpx.post(url(route), headers=sent, content=b"1").text for _ in range(10)} == {"serves"}
    mirrored.wait_for_copies(10)
    assert {(copy["x-request-id"], copy["x-color"]) for copy in mirrored.copies} == {("mine", "red")}
    assert "x-estiva-mirror" not in mirrored.copies[0]
    httpx.post(url(route), headers={VERSION_HEADER: "shadow"})
    httpx.get(url(route))
    httpx.post(url(route))
    mirrored.wait_for_copies(12)
    assert len(mirrored.copies) == 12, "one that was sent to it, and a copy of the last; none of a GET"


def test_a_shadow_that_is_stuck_keeps_nobody_waiting(mirrored: Mirrored) -> None:
    route = mirrored.apply()
    mirrored.shadow.stop()
    mirrored.shadow.listen()  # takes connections, and answers none
    began = time.monotonic()
    with httpx.Client(timeout=PATIENCE) as client:
        assert {client.post(url(route), content=b"1").text for _ in range(200)} == {"serves"}
    assert time.monotonic() - began < route.default.timeout_ms / 1000, "no caller waited for a copy"
    mirrored.shadow.serve()


def test_a_request_that_is_refused_or_larger_than_a_buffer_is_not_copied(mirrored: Mirrored) -> None:
    route = mirrored.apply(access=Access(key_hashes=(sha256(KEY.encode()).hexdigest().upper(),)))
    allowed = {"authorization": f"Bearer {KEY}"}
    assert httpx.post(url(route), content=b"1").status_code == 401
    assert httpx.post(url(route), headers=allowed, content=b"1" * 200_000).text == "serves"
    assert httpx.post(url(route), headers={**allowed, "x-color": "red"}, content=b"1").text == "serves"
    mirrored.wait_for_copies(1)
    assert [copy.get("x-color") for copy in mirrored.copies] == ["red"]
    assert "authorization" not in mirrored.copies[0]


def test_copies_begin_and_end_with_a_reload(mirrored: Mirrored, make_route: MakeRoute) -> None:
    route = mirrored.apply()
    without = tuple(version.model_copy(update={"mirror": 0}) for version in route.versions)
    mirrored.gateway.apply([route.model_copy(update={"versions": without})])
    assert httpx.post(url(route)).text == "serves"
    mirrored.gateway.apply([route])
    httpx.post(url(route), headers={"x-color": "red"})
    mirrored.wait_for_copies(1)
    assert [copy.get("x-color") for copy in mirrored.copies] == ["red"]
