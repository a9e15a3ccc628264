"""Whatever a request carries, it is answered once, with what an HTTP client can read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from inspect import Parameter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from estiva_server.app import Application, Response
from estiva_server.inputs import InputError, ParameterReader, header_names
from estiva_server.replies import check_header
from estiva_server.scoreboard import Scoreboard
from estiva_server.script import load_script
from estiva_server.settings import Settings

Ask = Callable[[dict[str, Any]], Response]

PLAIN = "def init(): pass\ndef run(data, request_headers): return [data, request_headers]"
RAW = """
from estiva_server import AMLResponse, rawhttp
def init(): pass
@rawhttp
def run(request):
    seen = [request.method, request.url, request.args, request.form, request.files, request.headers]
    return AMLResponse(repr(seen), 200)
"""

# As the native server passes them on: visible ASCII in headers and queries, a byte per character in paths.
ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=120)
PATHS = st.sampled_from(["/", "/score", "/score", "/swagger.json", "/metrics"]) | st.text(
    st.characters(max_codepoint=255), max_size=20
).map(lambda text: f"/{text}")
METHODS = st.sampled_from(["GET", "POST", "POST", "HEAD", "OPTIONS", "PUT"]) | st.text("ABCXYZ", min_size=1)
QUERIES = ASCII | st.lists(st.tuples(ASCII, ASCII)).map(
    lambda pairs: "&".join("=".join(one) for one in pairs)
)
TYPES = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "text/csv",
        "",
    ]
)
BODIES = st.binary(max_size=60) | st.sampled_from(
    [
        b"a=1&b=%ff",
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="g"\r\n\r\nx\r\n--b--',
        b'{"a": 1}',
    ]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("HTTP_X_REQUEST_ID", "HTTP_X_MS_REQUEST_ID", "HTTP_X_MS_CLIENT_REQUEST_ID", "HTTP_TRACEID"),
            *("HTTP_ORIGIN", "HTTP_ACCESS_CONTROL_REQUEST_METHOD", "HTTP_ACCESS_CONTROL_REQUEST_HEADERS"),
            *("HTTP_HOST", "HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE"),
        ]
    ),
    ASCII,
)


@st.composite
def scopes(draw: st.DrawFn) -> dict[str, Any]:
    body = draw(BODIES)
    return {
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "5001",
        "wsgi.url_scheme": "http",
        "REQUEST_METHOD": draw(METHODS),
        "PATH_INFO": draw(PATHS),
        "QUERY_STRING": draw(QUERIES),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": draw(TYPES),
        "wsgi.input": io.BytesIO(body),
        **draw(HEADERS),
    }


@pytest.fixture(scope="module", params=[PLAIN, RAW], ids=["plain", "raw"])
def ask(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    folder = tmp_path_factory.mktemp("app")
    (folder / "score.py").write_text(request.param)
    settings = Settings(app_root=folder, body_limit=50, cors_origins=("https://a.example", ".*b.*"))
    application = Application(load_script(folder / "score.py", "score.py"), settings, Scoreboard(1))

    def asked(scope: dict[str, Any]) -> Response:
        answers: list[Response] = []
        application(scope, answers.append)
        (answer,) = answers
        return answer

    return asked


@examples(deadline=None)
@given(scopes())
def test_it_is_answered_once(ask: Ask, scope: dict[str, Any]) -> None:
    answer = ask(scope)
    assert answer.status in {200, 400, 404, 405, 413, 431}
    names = [name for name, _ in answer.headers]
    assert len(names) == len(set(names))
    assert all(check_header(*one) == one for one in answer.headers)
    assert isinstance(answer.body, bytes)
    if answer.status >= 400:
        assert list(json.loads(answer.body)) == ["message"]


@examples(deadline=None)
@given(scopes())
def test_its_headers_have_their_usual_names(scope: dict[str, Any]) -> None:
    for name, value in header_names(scope).items():
        assert name == name.title()
        key = name.upper().replace("-", "_")
        assert value in (scope.get(f"HTTP_{key}"), scope.get(key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=5,
)


def read(body: bytes, kind: str = "application/json") -> dict[str, Any]:
    """With the parameters a, and b that has a default."""
    a, b = (Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in "ab")
    reader = ParameterReader([a, b.replace(default="default")])
    return reader({"REQUEST_METHOD": "POST", "CONTENT_TYPE": kind}, body)


@examples(deadline=None)
@given(JSON, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_arguments_are_the_members_of_a_json_object(content: Any, encoding: str) -> None:
    body = json.dumps(content).encode(encoding)
    if isinstance(content, dict) and "a" in content:
        assert read(body) == {"a": content["a"], "b": content.get("b", "default")}
    else:
        with pytest.raises(InputError) as caught:
            read(body)
        assert caught.value.status == 400


@examples(deadline=None)
@given(st.binary(), ASCII.filter(lambda kind: "json" not in kind.lower()))
def test_any_other_body_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(InputError) as caught:
        read(body, kind)
    assert caught.value.status == 415
    with pytest.raises(InputError) as caught:
        read(b"[" + body)
    assert caught.value.status == 400
