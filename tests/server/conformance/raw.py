"""@rawhttp: the request itself, and answers of the script's own. The query's `do` names which."""

from __future__ import annotations

from unittest.mock import ANY

from tests.server.conformance.cases import JSON, Case, Group, Headers, ask, post
from tests.server.conformance.differences import (
    ALLOW_RAW,
    CONTENT_TYPE,
    CUT_STREAM,
    FORWARDED,
    HEADER_LISTS,
    HEADER_NUMBER,
    IS_REQUEST,
    MARKS_ON_REFUSALS,
    NO_SUCH_STATUS,
    NOT_ASCII,
    RUN_RAISES,
    Difference,
)

SCRIPT = """
import json
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse

IDS = {"x-request-id": "mine", "x-ms-client-request-id": "mine"}

def chunks():
    yield b"one,"
    yield "two,"
    yield b"three"

def failing():
    yield b"one"
    raise ValueError

def about(r):
    return {
        "method": r.method, "path": r.path, "full": r.full_path, "base": r.base_url, "host": r.host,
        "query": r.query_string.decode(), "args": r.args.to_dict(flat=False),
        "values": r.values.to_dict(flat=False), "type": r.content_type, "json": r.is_json,
        "mimetype": r.mimetype, "parameters": r.mimetype_params,
        "length": r.content_length, "data": r.data.decode("latin-1"), "cookies": r.cookies.to_dict(),
        "addr": r.remote_addr, "root": r.script_root, "agent": r.user_agent.string,
        "token": r.authorization and r.authorization.token,
    }

def form(r):
    files = {n: [file.filename, file.content_type, file.read().decode()] for n, file in r.files.items()}
    return {"form": r.form.to_dict(flat=False), "files": files}

DO = {
    "about": about,
    "url": lambda r: r.url,
    "headers": lambda r: dict(r.headers),
    "form": form,
    "get_json": lambda r: r.get_json(),
    "json": lambda r: r.json,
    "get_json force": lambda r: r.get_json(force=True),
    "get_json silent": lambda r: r.get_json(silent=True),
    "text": lambda r: r.get_data(as_text=True),
    "stream": lambda r: r.stream.read().hex(),
    "isinstance": lambda r: isinstance(r, AMLRequest),
    "None": lambda r: None,
    "str": lambda r: "text",
    "dict": lambda r: {"a": 1},
    "a text": lambda r: AMLResponse("text", 200),
    "json_str": lambda r: AMLResponse({"a": 1}, 201, json_str=True),
    "a response of None": lambda r: AMLResponse(None, 200),
    "bytes of a type": lambda r: AMLResponse(b"\\x89PNG", 200, {"Content-Type": "image/png"}),
    "json as a text": lambda r: AMLResponse(json.dumps([1]), 200, {"Content-Type": "application/json"}),
    "a type in lower case": lambda r: AMLResponse("<a/>", 200, {"content-type": "text/xml"}),
    "a type and json_str": lambda r: AMLResponse([1], 200, {"Content-Type": "application/x"}, json_str=True),
    "a list": lambda r: AMLResponse(["a", "b"], 200),
    "chunks": lambda r: AMLResponse(chunks(), 200),
    "no chunks": lambda r: AMLResponse(iter(()), 200),
    "chunks that fail": lambda r: AMLResponse(failing(), 200),
    "204": lambda r: AMLResponse("", 204),
    "299": lambda r: AMLResponse("odd", 299),
    "302": lambda r: AMLResponse("", 302, {"Location": "https://other.example/"}),
    "304": lambda r: AMLResponse("", 304),
    "400": lambda r: AMLResponse("bad", 400),
    "404": lambda r: AMLResponse({"message": "no"}, 404, json_str=True),
    "500": lambda r: AMLResponse("broken", 500),
    "503": lambda r: AMLResponse("later", 503, {"Retry-After": "7"}),
    "600": lambda r: AMLResponse("odd", 600),
    "run_function_failed": lambda r: AMLResponse("x", 200, run_function_failed=True),
    "more headers": lambda r: AMLResponse("x", 200, {"X-A": "1", "X-B": "b c"}),
    "lists in headers": lambda r: AMLResponse("x", 200, {"X-A": "1,2", "Cache-Control": "no-cache,no-store"}),
    "a date": lambda r: AMLResponse("x", 200, {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "cookies": lambda r: AMLResponse("x", 200, {"Set-Cookie": "a=1; Path=/,b=2"}),
    "ids of its own": lambda r: AMLResponse("x", 200, IDS),
    "a line end in a header": lambda r: AMLResponse("x", 200, {"X-A": "a\\nb"}),
    "a number in a header": lambda r: AMLResponse("x", 200, {"X-A": 1}),
    "a header outside ASCII": lambda r: AMLResponse("é", 200, {"X-A": "é"}),
    "raises": lambda r: {}["no"],
}

def init(): pass

@rawhttp
def run(request): return DO[request.args["do"]](request)
"""


def where(what: str) -> str:
    return "/score?do=" + what.replace(" ", "+")


def do(what: str, *differs: Difference) -> Case:
    return post(what, "", (), *differs, path=where(what))


def send(what: str, kind: str, *differs: Difference) -> Case:
    headers, body = SENT[kind]
    return post(f"{what}, {kind}", body, headers, *differs, path=where(what))


PARTS = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n2\r\n'
    b'--x\r\nContent-Disposition: form-data; name="image"; filename="a b.png"\r\n'
    b"Content-Type: image/png\r\n\r\nPNG\r\n--x--\r\n"
)
SENT: dict[str, tuple[Headers, bytes | tuple[bytes, ...]]] = {
    "nothing": ((), b""),
    "json": (JSON, b'{"a": 1}'),
    "json in chunks": (JSON, (b'{"a"', b": 1}")),
    "no json": (JSON, b"{"),
    "bytes": ({"Content-Type": "application/octet-stream"}, b"\xff\x00"),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=1&a=2&b=%C3%A9"),
    "parts": ({"Content-Type": "multipart/form-data; boundary=x"}, PARTS),
    "no parts": ({"Content-Type": "multipart/form-data; boundary=x"}, b"zzz"),
    "parts without a boundary": ({"Content-Type": "multipart/form-data"}, PARTS),
}

REQUESTS = (
    *(send("about", kind) for kind in ("nothing", "json", "json in chunks", "bytes", "a form", "parts")),
    *(send("headers", kind) for kind in ("nothing", "json", "json in chunks")),
    *(send("form", kind) for kind in ("a form", "parts", "no parts", "parts without a boundary", "json")),
    *(send("stream", kind) for kind in ("json", "json in chunks", "bytes", "a form", "parts")),
    *(send("text", kind) for kind in ("json", "bytes")),
    *(send("get_json", kind) for kind in ("json", "json in chunks")),
    *(send("get_json", kind, RUN_RAISES) for kind in ("nothing", "no json", "a form")),
    send("json", "json"),
    send("get_json force", "bytes", RUN_RAISES),
    *(send("get_json silent", kind) for kind in ("no json", "bytes")),
    post(
        "about, with more headers",
        "x",
        {
            "Cookie": "a=1; b=2",
            "Authorization": "Bearer abc",
            "User-Agent": "t/1",
            "Content-Type": "text/plain; charset=latin-1",
            "X-Forwarded-For": "1.2.3.4",
        },
        path=f"{where('about')}&q=%C3%A9&q=2",
    ),
    post(
        "forwarded",
        "",
        {"X-Forwarded-Proto": "https"},
        FORWARDED.where(
            {"body": ("https://service.example/score?do=url", "http://service.example/score?do=url")}
        ),
        path=where("url"),
    ),
    do("isinstance", IS_REQUEST),
    *(ask(method, where("about")) for method in ("GET", "HEAD", "OPTIONS")),
    *(ask(method, where("500")) for method in ("HEAD", "OPTIONS")),
    ask("HEAD", where("chunks")),
    ask("PUT", where("about"), (), ALLOW_RAW, MARKS_ON_REFUSALS),
)

RESPONSES = (
    *map(do, ("None", "str", "dict", "a text", "json_str", "a response of None", "bytes of a type")),
    *map(do, ("json as a text", "a list", "chunks", "no chunks")),
    *map(do, ("204", "299", "302", "304", "400", "404", "500", "503")),
    *map(do, ("run_function_failed", "more headers", "a date", "ids of its own")),
    post(
        "ids of its own and the request's",
        "",
        {"x-ms-client-request-id": "c", "x-request-id": "r"},
        path=where("ids of its own"),
    ),
    do("600", NO_SUCH_STATUS),
    do("a type in lower case", CONTENT_TYPE.where({"content-type": (ANY, "text/xml")})),
    do("a type and json_str", CONTENT_TYPE.where({"content-type": (ANY, "application/x")})),
    do("chunks that fail", CUT_STREAM.where({"body": (b"one<cut>", b"one")})),
    do(
        "lists in headers",
        HEADER_LISTS.where({"x-a": ("1, 2", "1,2"), "cache-control": ("no-cache, no-store", ANY)}),
    ),
    do("cookies", HEADER_LISTS.where({"set-cookie": ("a=1; Path=/, b=2", "a=1; Path=/,b=2")})),
    do("a number in a header", HEADER_NUMBER),
    do("a header outside ASCII", NOT_ASCII.where({"x-a": ("é", "é".encode().decode("latin-1"))})),
    do("a line end in a header", RUN_RAISES),
    do("raises", RUN_RAISES),
)

GROUPS = (Group("raw", {"score.py": SCRIPT}, REQUESTS + RESPONSES),)
