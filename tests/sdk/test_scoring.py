from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from estiva.errors import WebserviceException
from estiva.sdk import scoring
from estiva.sdk.scoring import score
from tests.sdk.answering import Answer, Script, answering, of_json

OK = of_json({"predictions": [1]})
BUSY = Answer(503, b'{"message": "all replicas are busy"}', {"Retry-After": "0"})


@pytest.fixture
def service() -> Iterator[tuple[Script, str]]:
    script = Script()
    with answering(script) as url:
        yield script, f"{url}/score"


def refused(uri: str, timeout_ms: int = 1000) -> WebserviceException:
    with pytest.raises(WebserviceException) as caught:
        score(uri, "{}", timeout_ms=timeout_ms)
    return caught.value


def test_the_data_is_sent_unchanged_as_json(service: tuple[Script, str]) -> None:
    script, uri = service
    script.on("POST", "/score", OK)
    assert score(uri, "[1,  2]", timeout_ms=1000) == {"predictions": [1]}
    assert score(uri, "grün", timeout_ms=1000, headers={"Authorization": "Bearer x"}) == {"predictions": [1]}
    assert score(uri, b"\x00\xff", timeout_ms=1000) == {"predictions": [1]}
    assert [asked.body for asked in script.asked] == [b"[1,  2]", "grün".encode(), b"\x00\xff"]
    assert {asked.headers["content-type"] for asked in script.asked} == {"application/json"}
    assert script.asked[1].headers["authorization"] == "Bearer x"


def test_what_is_neither_text_nor_bytes_is_not_sent(service: tuple[Script, str]) -> None:
    script, uri = service
    with pytest.raises(WebserviceException, match=r"was given dict.*json\.dumps\(data\)"):
        score(uri, {"data": 1}, timeout_ms=1000)  # type: ignore[arg-type]
    assert not script.asked


def test_the_variables_for_proxies_are_not_used(
    service: tuple[Script, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script, uri = service
    script.on("POST", "/score", OK)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert score(uri, "{}", timeout_ms=1000) == {"predictions": [1]}


@pytest.mark.parametrize("status", [502, 504, 500, 401, 413, 429])
def test_what_may_have_run_is_sent_once(service: tuple[Script, str], status: int) -> None:
    script, uri = service
    script.on("POST", "/score", Answer(status, b"{}", {"Retry-After": "0"}), OK)
    assert refused(uri).status_code == status
    assert len(script.asked) == 1


def test_a_503_without_retry_after_is_sent_once(service: tuple[Script, str]) -> None:
    script, uri = service
    script.on("POST", "/score", Answer(503, b"{}"), OK)
    assert refused(uri).status_code == 503
    assert len(script.asked) == 1


def test_a_503_with_retry_after_was_never_run_and_is_repeated(service: tuple[Script, str]) -> None:
    script, uri = service
    script.on("POST", "/score", BUSY, BUSY, OK)
    assert score(uri, "{}", timeout_ms=1000) == {"predictions": [1]}
    assert len(script.asked) == 3


def test_a_service_that_stays_busy_is_asked_four_times(service: tuple[Script, str]) -> None:
    script, uri = service
    script.on("POST", "/score", BUSY)
    error = refused(uri)
    assert (error.status_code, error.body) == (503, BUSY.body)
    assert len(script.asked) == 4


def test_an_error_tells_what_scripts_look_for(service: tuple[Script, str]) -> None:
    script, uri = service
    body = b'{"message": "run() raised KeyError"}'
    script.on(
        "POST", "/score", Answer(502, body, {"x-request-id": "abc-1", "x-ms-run-function-failed": "True"})
    )
    error = refused(uri)
    assert (error.status_code, error.body, error.request_id, error.code) == (
        502,
        body,
        "abc-1",
        "ScoringFailed",
    )
    assert isinstance(json.loads(error.body or b""), dict)
    lines = str(error).splitlines()
    assert lines[0] == f"Received a bad response from {uri}."
    assert lines[1] == "Response Code: 502"
    assert lines[2].startswith("Headers: {")
    assert "'x-ms-run-function-failed': 'True'" in lines[2]
    assert lines[3] == f"Content: {body!r}"
    assert "abc-1" in lines[4]


def test_an_error_without_a_request_id_names_none(service: tuple[Script, str]) -> None:
    script, uri = service
    script.on("POST", "/score", Answer(502))
    error = refused(uri)
    assert error.request_id is None
    assert "None" not in str(error)
    assert "service.get_logs()" in str(error)


def test_an_answer_that_is_no_json(service: tuple[Script, str]) -> None:
    script, uri = service
    script.on("POST", "/score", Answer(200, b"plain"))
    with pytest.raises(json.JSONDecodeError):
        score(uri, "{}", timeout_ms=1000)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Pauses:
    """Stands in for `time`, and takes none."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


def test_a_refused_connection_is_tried_again_with_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = Pauses()
    monkeypatch.setattr(scoring, "time", pauses)
    error = refused(f"http://127.0.0.1:{free_port()}/score")
    assert (error.code, error.status_code) == ("ServiceUnreachable", None)
    assert "Nothing listens at http://127.0.0.1:" in str(error)
    assert pauses.seconds == [0.2, 0.4, 0.8]


class ServiceThatStartsInAPause(Pauses):
    def __init__(self, script: Script, running: ExitStack) -> None:
        super().__init__()
        self.script, self.running, self.url = script, running, ""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.running.enter_context(answering(self.script, port=int(self.url.rpartition(":")[2])))


def test_a_service_that_starts_meanwhile_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script()
    script.on("POST", "/score", OK)
    with ExitStack() as running:
        pauses = ServiceThatStartsInAPause(script, running)
        pauses.url = f"http://127.0.0.1:{free_port()}"
        monkeypatch.setattr(scoring, "time", pauses)
        assert score(f"{pauses.url}/score", "{}", timeout_ms=1000) == {"predictions": [1]}
    assert len(script.asked) == len(pauses.seconds) == 1


def test_a_request_that_broke_off_may_have_run_and_is_sent_once(service: tuple[Script, str]) -> None:
    script, uri = service
    script.on("POST", "/score", Answer(200, b"[1", breaks_off=True), OK)
    error = refused(uri)
    assert error.code == "RequestBrokenOff"
    assert "It may have run, so it was not repeated." in str(error)
    assert len(script.asked) == 1


FOREIGN = [
    kind for kind in vars(httpx).values() if isinstance(kind, type) and issubclass(kind, httpx.RequestError)
]


@pytest.mark.parametrize("kind", FOREIGN)
def test_every_way_in_which_a_request_fails_is_one_of_ours(
    monkeypatch: pytest.MonkeyPatch, kind: type[httpx.RequestError]
) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise kind("what httpx says")

    monkeypatch.setattr(scoring, "time", Pauses())
    client = httpx.Client

    def client_that_fails(**_options: object) -> httpx.Client:
        return client(transport=httpx.MockTransport(fail))

    monkeypatch.setattr(httpx, "Client", client_that_fails)
    never_arrived = kind in (httpx.ConnectError, httpx.ConnectTimeout)
    assert refused("http://service.test/score").code == (
        "ServiceUnreachable" if never_arrived else "RequestBrokenOff"
    )


@pytest.mark.parametrize(
    ("retry_after", "attempt", "seconds"),
    [
        (None, 0, 0.2),
        (None, 2, 0.8),
        ("2", 0, 2.0),
        ("3600", 0, 10.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1, 0.4),
        ("-1", 0, 0.2),
        ("", 0, 0.2),
        ("²", 0, 0.2),
    ],
)
def test_the_pause_is_what_the_service_asks_for_within_a_bound(
    retry_after: str | None, attempt: int, seconds: float
) -> None:
    headers = {} if retry_after is None else {b"Retry-After": retry_after.encode("latin-1")}
    assert scoring._pause(httpx.Response(503, headers=headers), attempt) == seconds
