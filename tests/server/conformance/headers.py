"""What run(data, request_headers) gets."""

from __future__ import annotations

from unittest.mock import ANY

from tests.server.conformance.cases import Group, get, post
from tests.server.conformance.differences import (
    COOKIES,
    HEADER_LIMITS,
    NEW_ID,
    NOT_ASCII,
    RAN,
    UNDERSCORE,
    VERSION,
)

SCRIPT = """
def init(): pass
def run(request_headers, data): return [type(request_headers).__name__, request_headers, data]
"""


def seen(**headers: str) -> list[object]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return ["dict", {"Host": "service.example", "Content-Length": "1", **names}, "x"]


LONG = "x" * 10_000

CASES = (
    post(
        "names", "x", {"Content-Type": "text/csv", "X-Tenant": "blue", "x-CORRELATION-id": "7", "ETag": "e"}
    ),
    post("repeated", "x", [("X-A", "1"), ("X-A", "2")]),
    post(
        "repeated cookies",
        "x",
        [("Cookie", "a=1"), ("Cookie", "b=2")],
        COOKIES.where({"body": (seen(Cookie="a=1,b=2"), seen(Cookie="a=1;b=2"))}),
    ),
    post("of a chunked body", (b"x",)),
    get("of a query", "/score?a=1", {"X-A": "1"}),
    post("underscores", "x", {"X_A": "1"}, UNDERSCORE.where({"body": (seen(), seen(X_A="1"))})),
    post("empty", "x", {"X-A": ""}),
    post("latin-1", "x", {"X-A": "é"}, NOT_ASCII.where({"body": (seen(X_A="é"), seen(X_A=""))})),
    post("spaces around", "x", {"X-A": "  a  b  "}),
    post("long", "x", {"X-A": "x" * 4000}),
    post("many", "x", {f"X-{number}": "1" for number in range(90)}),
    post("authorization", "x", {"Authorization": "Bearer key"}),
    post(
        "very long",
        "x",
        {"X-A": LONG},
        HEADER_LIMITS.where(
            {
                "status": (431, 200),
                "body": (ANY, seen(X_A=LONG)),
                "content-type": ("text/html", "application/json"),
                "x-request-id": (None, NEW_ID),
                "x-ms-request-id": (None, NEW_ID),
                "x-ms-server-version": (None, VERSION),
                "x-ms-run-function-failed": (None, "False"),
                "x-ms-run-fn-exec-ms": (None, RAN),
            }
        ),
    ),
    post(
        "too many",
        "x",
        {f"X-{number}": "1" for number in range(150)},
        HEADER_LIMITS.where({"body": (ANY, b""), "content-type": ("text/html", None)}),
    ),
)

GROUPS = (Group("headers", {"score.py": SCRIPT}, CASES),)
