"""Where our server answers otherwise than the official one, on purpose: the table in docs/differences.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import ANY

Changes = Mapping[str, tuple[Any, Any]]
"""By aspect of the answer, what the official server answers and what ours does; None: not there."""


@dataclass(frozen=True)
class Difference:
    subject: str
    official: str
    ours: str
    why: str
    changes: Changes

    def where(self, changes: Changes) -> Difference:
        """The same difference, with what it amounts to in one case."""
        return replace(self, changes={**self.changes, **changes})


FAILED = ("False", "True")
MESSAGE = {"message": "<str>"}
NEW_ID = "<a new id>"
RAN = "<milliseconds>"
VERSION = "<a server and its version>"
_JSON = "application/json"
_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_NO_MARKS: Changes = {
    "x-request-id": (None, NEW_ID),
    "x-ms-request-id": (None, NEW_ID),
    "x-ms-server-version": (None, VERSION),
}

RUN_RAISES = Difference(
    "`run()` raises",
    "500",
    "502",
    "One status for a script that fails and a replica that dies, as behind Azure ML's front end.",
    {"status": (500, 502)},
)
RUN_LEAVES = Difference(
    "`run()` calls `sys.exit`, is interrupted or cancelled",
    "500, an HTML page without ids",
    "502, as for any exception",
    "The log names the request, and the client finds it by its id.",
    {
        "status": (500, 502),
        "body": (ANY, MESSAGE),
        "content-type": ("text/html", _JSON),
        "x-ms-run-function-failed": (None, "True"),
        **_NO_MARKS,
    },
)
RESULT_IS_NOT_JSON = Difference(
    "`run()` returns what JSON cannot hold",
    "500, `x-ms-run-function-failed: False`",
    "502, `x-ms-run-function-failed: True`",
    "It is the script that has to change, and the log says where in the result.",
    {"status": (500, 502), "x-ms-run-function-failed": FAILED},
)
NO_SUCH_STATUS = Difference(
    "a script's response of status 600",
    "sent",
    "502",
    "HTTP ends at 599; proxies refuse the rest.",
    {
        "status": (600, 502),
        "body": (ANY, MESSAGE),
        "content-type": (ANY, _JSON),
        "x-ms-run-fn-exec-ms": (RAN, None),
    },
)
TIMEOUT = Difference(
    "`run()` takes longer than `SCORING_TIMEOUT_MS`",
    "500",
    "504, and the worker is replaced",
    "A client must tell slow from broken, and a stuck worker would go on taking requests.",
    {"status": (500, 504)},
)
BODY_IS_UNREADABLE = Difference(
    "with an input schema, a body that is not UTF-8, is nested too deep or has too long a number",
    "500",
    "400, with the reason",
    "It is the request that has to change.",
    {"status": (500, 400)},
)
BODY_IS_TOO_LARGE = Difference(
    "a body over the limit (`ESTIVA_BODY_LIMIT_BYTES`, 100 MB unless set)",
    "there is no limit",
    "413",
    "One request must not use up the replica's memory.",
    {"status": (200, 413), "body": (ANY, MESSAGE), "x-ms-run-fn-exec-ms": (RAN, None)},
)
FORM = Difference(
    "a form sent to a plain `run(data)`",
    "`data` is empty",
    "`data` is the body",
    "What was sent is not lost.",
    {},
)
NO_JSON_IN_A_QUERY = Difference(
    "a query's `NaN`, `Infinity`, or brackets nested thousands deep",
    "a number that JSON does not have; 500",
    "text, as whatever is not JSON",
    "`data` is a JSON text that every parser can read.",
    {},
)
COOKIES = Difference(
    "several `Cookie` headers in `request_headers`",
    "joined by commas",
    "joined by semicolons",
    "As cookies are joined by the standard; they have no other separator.",
    {},
)
UNDERSCORE = Difference(
    "a request's header with an underscore, `X_A`",
    "dropped",
    "is `X-A`",
    "Python has one name for both; what is in front decides what may come in.",
    {},
)
NOT_ASCII = Difference(
    "headers outside ASCII",
    "Latin-1, in both directions",
    "a response's is UTF-8; a request's that is not UTF-8 is empty",
    "UTF-8 is what today's clients read and write.",
    {},
)
HEADER_LIMITS = Difference(
    "a header over 8,190 characters, or over 100 headers",
    "431, an HTML page",
    "long ones are taken; too many are 431 without a body",
    "They are refused before they are a request, so there is no id to give.",
    {},
)
FORWARDED = Difference(
    "`X-Forwarded-Proto` from the same machine",
    "changes the raw request's `url`",
    "is a header like others",
    "Anyone could send it.",
    {},
)
TWO_SLASHES = Difference(
    "`//score`",
    "is `/score`",
    "404",
    "One path, one name: rules of what is in front hold for all requests.",
    {"status": (200, 404), "body": (ANY, MESSAGE), "x-ms-run-fn-exec-ms": (RAN, None)},
)
MARKS_ON_REFUSALS = Difference(
    "404 for a path, 405 for a verb",
    "without ids and server version",
    "with them",
    "Every answer can be found in the log.",
    _NO_MARKS,
)
EMPTY_ID = Difference(
    "an empty `x-request-id`",
    "no ids in the answer",
    "a new id",
    "Every answer can be found in the log.",
    {"x-request-id": (None, NEW_ID), "x-ms-request-id": (None, NEW_ID)},
)
ALLOW = Difference(
    "405 and `OPTIONS`",
    "without `Allow`",
    "`Allow` has the verbs",
    "HTTP asks for it.",
    {"allow": (None, "get, options, post")},
)
ALLOW_READING = ALLOW.where({"allow": (None, "get, head, options")})
ALLOW_RAW = ALLOW.where({"allow": (None, "get, head, options, post")})
PLAIN_TEXT = Difference(
    "`GET /` and `OPTIONS`",
    "`text/html`",
    "`text/plain`",
    "It is no HTML.",
    {"content-type": (_HTML, _TEXT)},
)
METRICS = Difference(
    "`GET /metrics`",
    "404",
    "200, for Prometheus",
    "An addition.",
    {
        "status": (404, 200),
        "body": (MESSAGE, ANY),
        "content-type": (_JSON, "text/plain; version=0.0.4; charset=utf-8"),
        "x-ms-run-function-failed": ("False", None),
        **_NO_MARKS,
    },
)
GENERATOR = Difference(
    "`run()` returns a generator",
    "500",
    "200, streamed",
    "An addition.",
    {
        "status": (500, 200),
        "body": (MESSAGE, b"ab"),
        "content-type": (_JSON, _TEXT),
        "transfer-encoding": (None, "chunked"),
        "x-ms-run-fn-exec-ms": (None, RAN),
    },
)
COROUTINE = Difference(
    "`async def run`",
    "500",
    "200, awaited",
    "An addition.",
    {"status": (500, 200), "body": (MESSAGE, {"a": 1}), "x-ms-run-fn-exec-ms": (None, RAN)},
)
CUT_STREAM = Difference(
    "a streamed answer fails midway",
    "the connection is cut",
    "the answer ends; JSON lines and events end with one that says so",
    "The native server cannot cut one connection. The log has the traceback.",
    {},
)
CONTENT_TYPE = Difference(
    "an `AMLResponse` with a content type of its own",
    "both are sent, its and the default",
    "its own is sent",
    "Of two, a client takes either.",
    {},
)
HEADER_LISTS = Difference(
    "commas in a header of an `AMLResponse`",
    "make several headers",
    "stay as they are",
    "Dates and cookies have commas too.",
    {},
)
HEADER_NUMBER = Difference(
    "a number as a header of an `AMLResponse`",
    "500",
    "sent as text",
    "It can only mean one thing.",
    {
        "status": (500, 200),
        "body": (MESSAGE, b"x"),
        "content-type": (_JSON, _HTML),
        "x-a": (None, "1"),
        "x-ms-run-fn-exec-ms": (None, RAN),
        "x-ms-run-function-failed": ("True", "False"),
    },
)
IS_REQUEST = Difference(
    "`isinstance(request, AMLRequest)`",
    "False",
    "True",
    "It is what the name says.",
    {"body": (False, True)},
)
MODULE_NAME = Difference(
    "`__name__` of the entry script",
    "`entry_module`",
    "`service_driver`",
    "The name that SDK v1's images gave it: pickled models refer to it.",
    {},
)
PLAIN_SCHEMA = Difference(
    "the description of a script without a schema",
    "takes and returns an object",
    "takes and returns anything (`{}`)",
    "`run(data)` takes any text.",
    {
        "input schema": ({"type": "object", "example": {}}, {}),
        "output schema": ({"type": "object", "example": {}}, {}),
    },
)
REQUIRED = Difference(
    "the description of a script with a schema",
    "does not say which parameters a request must have",
    "`required` lists them",
    "A client that was made from it knows before it asks.",
    {"required parameters": (None, ["data"])},
)
HEADERS_ARE_NO_INPUT = Difference(
    "the description of a script that takes `request_headers`",
    "has them for a parameter",
    "does not",
    "The server sets them, whatever is in the body.",
    {},
)
ANY_ORIGIN = Difference(
    "`AML_CORS_ORIGINS=*`",
    "names the request's origin, with `Vary: Origin`",
    "`*`",
    "Answers can be cached for all.",
    {"access-control-allow-origin": ("https://a.example", "*"), "vary": ("origin", None)},
)
VARY = Difference(
    "`AML_CORS_ORIGINS` with origins, a request from none of these or without one",
    "without `Vary`; without an `Origin` the first one is allowed",
    "`Vary: Origin` alone",
    "A cache would hand out the answer for one origin to another.",
    {"vary": (None, "origin")},
)
ORIGIN_PATTERN = Difference(
    "a pattern in `AML_CORS_ORIGINS`",
    "fits the beginning of an origin",
    "fits the whole origin",
    "`https://.*\\.a\\.example` must not allow `https://x.a.example.evil.example`.",
    {"access-control-allow-origin": ("https://x.sub.example.evil.example", None)},
)
ORIGIN_ON_REFUSALS = Difference(
    "404 for a path, 405 for a verb, with `AML_CORS_ORIGINS`",
    "nothing of CORS",
    "as on all answers",
    "A page can read the error.",
    {"access-control-allow-origin": (None, "https://a.example"), "vary": (None, "origin")},
)

DIFFERENCES = tuple(
    {value.subject: value for value in globals().values() if isinstance(value, Difference)}.values()
)
