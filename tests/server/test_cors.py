from __future__ import annotations

import pytest

from estiva_server.cors import allow

ORIGINS = ["https://a.example", r"https://[a-z]+\.b\.example"]
ORIGIN, METHODS, VARY = "access-control-allow-origin", "access-control-allow-methods", ("vary", "Origin")


def allowed(origins: list[str], origin: str = "", asks_for: str = "") -> list[tuple[str, str]]:
    scope = {"REQUEST_METHOD": "OPTIONS" if asks_for else "POST"}
    if origin:
        scope["HTTP_ORIGIN"] = origin
    if asks_for:
        scope["HTTP_ACCESS_CONTROL_REQUEST_METHOD"] = asks_for
    return allow(origins, scope)


@pytest.mark.parametrize("origin", ["https://a.example", "HTTPS://A.example", "https://x.b.example"])
def test_an_origin_that_is_allowed(origin: str) -> None:
    assert allowed(ORIGINS, origin) == [(ORIGIN, origin), VARY]


@pytest.mark.parametrize("origin", ["", "null", "http://a.example", "https://x.b.example.evil.example"])
def test_others(origin: str) -> None:
    assert allowed(ORIGINS, origin) == [VARY]
    assert allowed(ORIGINS, origin, asks_for="POST") == [VARY]


@pytest.mark.parametrize("origin", ["", "https://c.example"])
def test_any_origin(origin: str) -> None:
    assert allowed(["*"], origin) == [(ORIGIN, "*")]


def test_a_browser_that_asks_first() -> None:
    assert allowed(["*"], "https://c.example", asks_for="post") == [(ORIGIN, "*"), (METHODS, "GET, POST")]
    assert allowed(["*"], "https://c.example", asks_for="PUT") == [(ORIGIN, "*")]
