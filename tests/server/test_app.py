from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from estiva_server.app import Application, Response
from estiva_server.scoreboard import Scoreboard
from estiva_server.script import load_script
from estiva_server.settings import Settings

Ask = Callable[..., Response]


@pytest.fixture
def application(tmp_path: Path) -> Callable[..., Ask]:
    """Makes an application of a script; what comes back asks it."""

    def make(run: str, **settings: Any) -> Ask:
        (tmp_path / "score.py").write_text(f"import json\ndef init(): pass\n{run}\n")
        script = load_script(tmp_path / "score.py", "score.py")
        known = Settings(app_root=tmp_path, **settings)
        application = Application(script, known, Scoreboard(known.concurrency))

        def ask(method: str, path: str, body: bytes = b"", query: str = "", **headers: str) -> Response:
            answers: list[Response] = []
            head = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
            scope = {
                "REQUEST_METHOD": method,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.input": io.BytesIO(body),
                **head,
            }
            application(scope, answers.append)
            (answer,) = answers
            return answer

        return ask

    return make


ECHO = "def run(data): return data"


def content(answer: Response) -> Any:
    assert isinstance(answer.body, bytes)
    return json.loads(answer.body)


def message(answer: Response) -> str:
    assert ("content-type", "application/json") in answer.headers
    said = content(answer)
    assert list(said) == ["message"]
    return str(said["message"])


def test_a_score(application: Callable[..., Ask]) -> None:
    answer = application(ECHO)("POST", "/score", "Größe".encode())
    headers = dict(answer.headers)
    assert answer.status == 200
    assert content(answer) == "Größe"
    assert headers["content-type"] == "application/json"
    assert headers["x-ms-run-function-failed"] == "False"
    assert float(headers["x-ms-run-fn-exec-ms"]) >= 0
    assert len(headers["x-request-id"]) == 36


def test_a_score_by_query(application: Callable[..., Ask]) -> None:
    answer = application(ECHO)("GET", "/score", query="a=1&b=x&b=2")
    assert json.loads(content(answer)) == {"a": 1, "b": ["x", 2]}


def test_headers_reach_a_run_that_wants_them(application: Callable[..., Ask]) -> None:
    ask = application("def run(data, request_headers): return request_headers['X-Tenant']")
    assert content(ask("POST", "/score", x_tenant="blue")) == "blue"


def test_ids_are_echoed_on_every_answer(application: Callable[..., Ask]) -> None:
    sent = {"x_request_id": "1", "x_ms_client_request_id": "2", "x_ms_request_id": "3", "traceid": "4"}
    for path in ("/", "/score", "/nowhere"):
        headers = dict(application(ECHO)("GET", path, **sent).headers)
        assert {name: headers[name.replace("_", "-")] for name in sent} == sent


@pytest.mark.parametrize("name", ["x_request_id", "x_ms_client_request_id", "x_ms_request_id"])
def test_an_id_of_over_100_characters_is_refused(application: Callable[..., Ask], name: str) -> None:
    ask = application(ECHO)
    assert ask("GET", "/", **{name: "x" * 100}).status == 200
    answer = ask("GET", "/", **{name: "x" * 101})
    assert answer.status == 431
    assert message(answer) == f"The header {name.replace('_', '-')} is longer than 100 characters."


def test_health(application: Callable[..., Ask]) -> None:
    answer = application(ECHO)("GET", "/")
    assert (answer.status, answer.body) == (200, b"Healthy")
    assert ("content-type", "text/plain; charset=utf-8") in answer.headers


def test_options(application: Callable[..., Ask]) -> None:
    answer = application(ECHO)("OPTIONS", "/score")
    assert (answer.status, answer.body) == (200, b"")
    assert ("x-ms-run-function-failed", "False") in answer.headers


@pytest.mark.parametrize("verb", ["PUT", "DELETE", "PATCH", "HEAD"])
def test_other_verbs(application: Callable[..., Ask], verb: str) -> None:
    answer = application(ECHO)(verb, "/score")
    assert answer.status == 405
    assert message(answer) == "/score takes GET, OPTIONS, POST only."
    assert ("allow", "GET, OPTIONS, POST") in answer.headers


@pytest.mark.parametrize("path", ["/scores", "/score/", "/swagger", "/../etc/passwd"])
def test_other_paths(application: Callable[..., Ask], path: str) -> None:
    answer = application(ECHO)("POST", path)
    assert answer.status == 404
    assert message(answer) == f"There is nothing at {path}. Scores are at /score."


def test_a_body_that_is_not_utf8(application: Callable[..., Ask]) -> None:
    answer = application(ECHO)("POST", "/score", b"\xff")
    assert answer.status == 400
    assert "not UTF-8" in message(answer)


def test_a_body_over_the_limit(application: Callable[..., Ask]) -> None:
    answer = application(ECHO, body_limit=10)("POST", "/score", b"x" * 11)
    assert answer.status == 413
    assert "(10 bytes)" in message(answer)
    assert ("connection", "close") in answer.headers


@pytest.mark.parametrize(
    "failure",
    ["raise ValueError('secret')", "raise SystemExit(3)", "import asyncio; raise asyncio.CancelledError"],
)
def test_a_run_that_raises(
    application: Callable[..., Ask], failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = application(f"def run(data): {failure}")("POST", "/score", x_request_id="r1")
    assert answer.status == 502
    assert ("x-ms-run-function-failed", "True") in answer.headers
    assert message(answer) == "The score script failed. The service's log says why, under request id r1."
    (record,) = caplog.records
    assert record.getMessage() == "run() raised an exception (request id r1), given an empty body"
    text = logging.Formatter().formatException(record.exc_info)  # type: ignore[arg-type]
    assert text.splitlines()[1].endswith('score.py", line 3, in run')


def test_debug_mode_shows_the_traceback(application: Callable[..., Ask]) -> None:
    answer = application("def run(data): return 1 / 0", debug=True)("POST", "/score")
    assert answer.status == 502
    assert content(answer)["traceback"].endswith("ZeroDivisionError: division by zero\n")


def test_a_result_that_json_cannot_hold(
    application: Callable[..., Ask], caplog: pytest.LogCaptureFixture
) -> None:
    answer = application("def run(data): return {'p': {1}}")("POST", "/score", x_request_id="r2")
    assert answer.status == 502
    assert ("x-ms-run-function-failed", "True") in answer.headers
    assert "result['p'] is of type set" in caplog.text
    assert "(request id r2)" in caplog.text


def test_the_description(application: Callable[..., Ask]) -> None:
    ask = application(ECHO, service_name="churn")
    assert content(ask("GET", "/swagger.json"))["info"]["title"] == "churn"
    assert content(ask("GET", "/swagger.json", query="version=3.1"))["openapi"] == "3.1.0"
    answer = ask("GET", "/swagger.json", query="version=4")
    assert answer.status == 404
    assert "no description of version 4" in message(answer)


def test_a_run_that_returns_nothing_is_answered_with_an_empty_object(application: Callable[..., Ask]) -> None:
    assert content(application("def run(data): pass")("POST", "/score")) == {}
    assert content(application("def run(data): return [None]")("POST", "/score")) == [None]


def test_of_several_versions_of_the_description_the_first_is_meant(application: Callable[..., Ask]) -> None:
    ask = application(ECHO)
    assert content(ask("GET", "/swagger.json", query="version=3&version=4"))["openapi"] == "3.0.3"
    assert ask("GET", "/swagger.json", query="version=").status == 404


RAW = """
from estiva_server import AMLResponse, rawhttp
@rawhttp
def run(request): return AMLResponse(*json.loads(request.get_data()))
"""


def test_an_answer_of_304_has_no_content_type(application: Callable[..., Ask]) -> None:
    ask = application(RAW)
    answer = ask("POST", "/score", b'["", 304]')
    assert answer.status == 304
    assert "content-type" not in dict(answer.headers)


def test_a_response_names_the_callers_request_only_where_the_caller_did_not(
    application: Callable[..., Ask],
) -> None:
    ask = application(RAW)
    body = json.dumps(
        ["", 200, {"X-Request-Id": "mine", "x-ms-client-request-id": "mine", "TraceId": "mine"}]
    )

    def ids(**sent: str) -> list[str]:
        names = ("x-request-id", "x-ms-client-request-id", "traceid")
        answered = ask("POST", "/score", body.encode(), x_request_id="r", **sent).headers
        return [value for wanted in names for name, value in answered if name == wanted]

    assert ids() == ["r", "mine", "mine"]
    assert ids(x_ms_client_request_id="c", traceid="t") == ["r", "c", "t"]


def test_options_of_what_does_not_score(application: Callable[..., Ask]) -> None:
    answer = application(ECHO)("OPTIONS", "/")
    assert (answer.status, answer.body) == (200, b"")
    assert dict(answer.headers)["allow"] == "GET, HEAD, OPTIONS"
    assert "x-ms-run-function-failed" not in dict(answer.headers)
