"""AML_CORS_ORIGINS."""

from __future__ import annotations

from dataclasses import replace

from tests.server.conformance.cases import Group, ask, get, post
from tests.server.conformance.differences import (
    ALLOW,
    ANY_ORIGIN,
    MARKS_ON_REFUSALS,
    ORIGIN_ON_REFUSALS,
    ORIGIN_PATTERN,
    PLAIN_TEXT,
    VARY,
)

SCRIPT = "def init(): pass\ndef run(data): return data\n"
A = {"Origin": "https://a.example"}
B = {"Origin": "https://b.example"}
PREFLIGHT = {"Access-Control-Request-Method": "POST"}
NAMES = {"Access-Control-Request-Headers": "Content-Type, X-Tenant"}

OTHERS = ("http://a.example", "https://a.example:8080", "null")

LISTED = (
    post("allowed", "x", A),
    post("in upper case", "x", {"Origin": "HTTPS://A.EXAMPLE"}),
    post("by a pattern", "x", {"Origin": "https://x.sub.example"}),
    post("refused body", b"\xff", A),
    post("id too long", "x", {**A, "x-request-id": "x" * 101}),
    post("another", "x", B, VARY),
    *(
        post(one, "x", {"Origin": one}, VARY)
        for one in ("http://a.example", "https://a.example:8080", "null")
    ),
    post(
        "no origin",
        "x",
        (),
        replace(VARY, changes={"access-control-allow-origin": ("https://a.example", None)}),
    ),
    post("more than a pattern", "x", {"Origin": "https://x.sub.example.evil.example"}, ORIGIN_PATTERN),
    get("health", "/", A, PLAIN_TEXT),
    ask("GET", "/nowhere", A, ORIGIN_ON_REFUSALS, MARKS_ON_REFUSALS),
    ask("PUT", "/score", A, ORIGIN_ON_REFUSALS, MARKS_ON_REFUSALS, ALLOW),
    ask("OPTIONS", "/score", A, ALLOW, PLAIN_TEXT),
    ask("OPTIONS", "/score", {**A, **PREFLIGHT}, ALLOW, PLAIN_TEXT, name="preflight"),
    ask("OPTIONS", "/score", {**A, **PREFLIGHT, **NAMES}, ALLOW, PLAIN_TEXT, name="preflight with headers"),
    ask("OPTIONS", "/score", {**A, **NAMES}, ALLOW, PLAIN_TEXT, name="headers without a method"),
    ask(
        "OPTIONS",
        "/score",
        {**A, "Access-Control-Request-Method": "PUT"},
        *(ALLOW, PLAIN_TEXT),
        name="preflight, PUT",
    ),
    ask("OPTIONS", "/score", {**B, **PREFLIGHT}, ALLOW, PLAIN_TEXT, VARY, name="preflight of another"),
    ask("OPTIONS", "/", {**A, **PREFLIGHT}, PLAIN_TEXT, name="preflight of health"),
)

ANY = (
    post("no origin", "x"),
    post("an origin", "x", A, ANY_ORIGIN),
    ask("OPTIONS", "/score", {**A, **PREFLIGHT}, ALLOW, PLAIN_TEXT, ANY_ORIGIN, name="preflight"),
)

NONE = (
    post("an origin", "x", A),
    ask("OPTIONS", "/score", {**A, **PREFLIGHT}, ALLOW, PLAIN_TEXT, name="preflight"),
)
"""For a server without AML_CORS_ORIGINS."""

GROUPS = (
    Group(
        "origins",
        {"score.py": SCRIPT},
        LISTED,
        {"AML_CORS_ORIGINS": r"https://a.example, https://c.example,https://.*\.sub\.example"},
    ),
    Group("any origin", {"score.py": SCRIPT}, ANY, {"AML_CORS_ORIGINS": "*"}),
)
