"""A plain run(data): bodies, queries, methods, paths and ids; its description; CORS that is off."""

from __future__ import annotations

from tests.server.conformance import descriptions, origins
from tests.server.conformance.cases import JSON, Group, ask, get, post
from tests.server.conformance.differences import (
    ALLOW,
    ALLOW_READING,
    EMPTY_ID,
    FORM,
    MARKS_ON_REFUSALS,
    MESSAGE,
    METRICS,
    NO_JSON_IN_A_QUERY,
    PLAIN_TEXT,
    RAN,
    TWO_SLASHES,
)

ECHO = """
def init(): pass
def run(whatever_the_name): return whatever_the_name
"""
PARTS = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
DEEP = "[" * 3000

BODIES = (
    post("no body"),
    post("json", '{"data": [1, 2.5, "x", null]}', JSON),
    post("text without a content type", "hello"),
    post("text", "hello", {"Content-Type": "text/plain"}),
    post("csv with parameters", "a,b\n1,2\n", {"Content-Type": "text/csv; charset=utf-8; header=present"}),
    post("a json string is not decoded", '"x"', JSON),
    post("what is no json", "{", JSON),
    post("utf-8", "Größe 測定 🚢", JSON),
    post("white space stays", " \r\n\tx\n "),
    post("a null character", b"a\x00b"),
    post("a byte order mark", b"\xef\xbb\xbf{}", JSON),
    post("not utf-8", b"\xff\xfe", JSON),
    post("cut within a character", b"\xc3", JSON),
    post("latin-1, said to be", b"\xe9", {"Content-Type": "text/plain; charset=latin-1"}),
    post("gzip is not unpacked", b"\x1f\x8b\x08\x00\x00", {**JSON, "Content-Encoding": "gzip"}),
    post("binary", bytes(range(128)), {"Content-Type": "application/octet-stream"}),
    post("chunked", (b'{"a"', b": 1}"), JSON),
    post("chunked, cut within a character", (b"\xc3", b"\xa9")),
    post("a megabyte", b"x" * 1_000_000),
    post(
        "a form",
        "a=1&b=2",
        {"Content-Type": "application/x-www-form-urlencoded"},
        FORM.where({"body": ("", "a=1&b=2")}),
    ),
    post(
        "a form of parts",
        PARTS,
        {"Content-Type": "multipart/form-data; boundary=x"},
        FORM.where({"body": ("", PARTS)}),
    ),
    post("a query beside the body", "body", path="/score?a=1"),
    post("a content type that is none", "x", {"Content-Type": "nonsense"}),
    post("an empty content type", "x", {"Content-Type": ""}),
    post("expects to be told to go on", "x", {"Expect": "100-continue"}),
)

QUERIES = (
    get("no query", "/score"),
    get("an empty query", "/score?"),
    get("numbers, words, null, true", "/score?a=1&b=2.5&c=x&d=null&e=true"),
    get("lists and objects", "/score?a=[1,2]&b=%7B%22c%22:1%7D"),
    get("a repeated name", "/score?a=1&a=x&b=2&a=null"),
    get("a name without a value", "/score?a&b="),
    get("plus and percent", "/score?a=x+y%20z%2B&b%20c=1"),
    get("utf-8 in a query", "/score?stadt=K%C3%B6ln"),
    get("a quoted string", "/score?a=%22x%22"),
    get("semicolons do not separate", "/score?a=1;b=2"),
    get("only ampersands", "/score?&&"),
    get("an equals sign in a value", "/score?a=b=c"),
    get("large numbers", "/score?a=123456789012345678901234567890&b=1e400"),
    get("not utf-8 in a query", "/score?a=%FF&%fe=%C3%A9%c3x"),
    get("a percent sign alone", "/score?a=50%&b=%zz"),
    get(
        "nan and infinity",
        "/score?a=NaN&b=-Infinity",
        (),
        NO_JSON_IN_A_QUERY.where({"body": ('{"a": NaN, "b": -Infinity}', '{"a": "NaN", "b": "-Infinity"}')}),
    ),
    get(
        "nested deep",
        f"/score?a={DEEP}",
        (),
        NO_JSON_IN_A_QUERY.where(
            {
                "status": (500, 200),
                "body": (MESSAGE, f'{{"a": "{DEEP}"}}'),
                "x-ms-run-fn-exec-ms": (None, RAN),
            }
        ),
    ),
    get("names are case sensitive", "/score?A=1&a=2"),
)

METHODS = (
    get("health", "/", (), PLAIN_TEXT),
    get("health with a query", "/?a=1", (), PLAIN_TEXT),
    ask("HEAD", "/", (), PLAIN_TEXT),
    ask("OPTIONS", "/", (), PLAIN_TEXT),
    ask("POST", "/", (), ALLOW_READING, MARKS_ON_REFUSALS),
    ask("OPTIONS", "/score", (), ALLOW, PLAIN_TEXT),
    ask("HEAD", "/score", (), ALLOW),
    ask("PUT", "/score", (), ALLOW, MARKS_ON_REFUSALS),
    ask("PATCH", "/score", (), ALLOW, MARKS_ON_REFUSALS),
    ask("DELETE", "/score", (), ALLOW, MARKS_ON_REFUSALS),
    ask("BREW", "/score", (), ALLOW, MARKS_ON_REFUSALS),
    ask("GET", "/scores", (), MARKS_ON_REFUSALS),
    ask("POST", "/score/1", (), MARKS_ON_REFUSALS),
    ask("POST", "/score/", (), MARKS_ON_REFUSALS),
    ask("POST", "/Score", (), MARKS_ON_REFUSALS),
    post("two slashes", "x", (), TWO_SLASHES, path="//score"),
    post("an encoded path", "x", path="/sc%6Fre"),
    ask("OPTIONS", "/nowhere", (), MARKS_ON_REFUSALS),
    ask("POST", "/swagger.json", (), ALLOW_READING, MARKS_ON_REFUSALS),
    get("metrics", "/metrics", (), METRICS),
)

LONG = "x" * 101

IDS = (
    post("x-request-id", "1", {"x-request-id": "abc"}),
    post("x-ms-request-id", "1", {"x-ms-request-id": "abc"}),
    post("x-ms-client-request-id", "1", {"x-ms-client-request-id": "abc"}),
    post("a request's and a legacy id", "1", {"x-request-id": "a", "x-ms-request-id": "b"}),
    post("a request's and a client's id", "1", {"x-request-id": "a", "x-ms-client-request-id": "b"}),
    post("a legacy and a client's id", "1", {"x-ms-request-id": "a", "x-ms-client-request-id": "b"}),
    post("all ids", "1", {"x-request-id": "a", "x-ms-request-id": "b", "x-ms-client-request-id": "c"}),
    post("an empty x-request-id", "1", {"x-request-id": ""}, EMPTY_ID),
    post("an empty x-ms-request-id", "1", {"x-ms-request-id": "", "x-ms-client-request-id": "c"}),
    post("an id of 100 characters", "1", {"x-request-id": LONG[:100]}),
    post("x-request-id too long", "1", {"x-request-id": LONG}),
    post("x-ms-request-id too long", "1", {"x-ms-request-id": LONG}),
    post("x-ms-client-request-id too long", "1", {"x-ms-client-request-id": LONG}),
    post("two ids, one too long", "1", {"x-request-id": "a", "x-ms-request-id": LONG}),
    get("health with an id too long", "/", {"x-request-id": LONG}),
    get("health with ids", "/", {"x-request-id": "a", "x-ms-client-request-id": "b"}, PLAIN_TEXT),
    post("an id of any characters", "1", {"x-request-id": 'a b;c="d"/{}~'}),
    post("TraceId", "1", {"TraceId": "t" * 300}),
    post("an empty TraceId", "1", {"TraceId": ""}),
    get(
        "no such path, with ids",
        "/nowhere",
        {"x-request-id": "a", "TraceId": "t"},
        MARKS_ON_REFUSALS.where(
            {"x-request-id": (None, "a"), "x-ms-request-id": (None, "a"), "traceid": (None, "t")}
        ),
    ),
    post(
        "ids on a refused body", b"\xff", {"x-request-id": "a", "x-ms-client-request-id": "b", "TraceId": "t"}
    ),
)

CASES = BODIES + QUERIES + METHODS + IDS + descriptions.OF_A_PLAIN_SCRIPT + origins.NONE

GROUPS = (Group("plain", {"score.py": ECHO}, CASES),)
