from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from estiva.errors import ControlServerException, EstivaError, UserErrorException, WebserviceException
from estiva.home import Home
from estiva.messages import Problem, Progress
from estiva.sdk.connection import Connection, address, connect, error_of, lines, translated
from tests.sdk.answering import Answer, Script, answering, of_json
from tests.sdk.conftest import STATUS

PROBLEM = {
    "type": "WebserviceException",
    "code": "PortInUse",
    "message": "Port 1 is in use.",
    "detail": "by x",
}


def classes(base: type[EstivaError]) -> list[type[EstivaError]]:
    """Those that the control server raises: azureml.exceptions has more, for scripts alone."""
    found = [base, *(found for child in base.__subclasses__() for found in classes(child))]
    return [cls for cls in found if cls.__module__ == base.__module__]


# --- answers ----------------------------------------------------------------------------------------------


def test_an_answer_is_its_json_or_its_text(control: Script) -> None:
    control.on("POST", "/things", of_json({"name": "x"}, 201))
    control.on(
        "GET", "/logs", Answer(body="grün\n".encode(), headers={"Content-Type": "text/plain; charset=utf-8"})
    )
    control.on("DELETE", "/things/x", Answer(204))
    assert connect().request("POST", "/things", body={"name": "x"}, params={"n": 3}) == {"name": "x"}
    assert (control.asked[-1].path, control.asked[-1].json) == ("/things?n=3", {"name": "x"})
    assert connect().text("/logs", {"tail": 2}) == "grün\n"
    assert connect().request("DELETE", "/things/x") is None


def test_a_problem_becomes_the_exception_that_it_names(control: Script) -> None:
    control.on("GET", "/x", of_json(PROBLEM, 409))
    with pytest.raises(WebserviceException, match=r"^Port 1 is in use\.$") as caught:
        connect().request("GET", "/x")
    assert (caught.value.code, caught.value.detail) == ("PortInUse", "by x")
    with pytest.raises(WebserviceException, match=r"^Port 1 is in use\.$"):
        connect().text("/x")
    with pytest.raises(WebserviceException, match=r"^Port 1 is in use\.$"), connect().stream("GET", "/x"):
        pass


@pytest.mark.parametrize("kind", classes(EstivaError))
def test_every_exception_of_ours_travels(kind: type[EstivaError]) -> None:
    error = error_of(Problem(type=kind.__name__, code="Code", message="What, why.", detail="more"))
    assert type(error) is kind
    assert (error.message, error.code, error.detail) == ("What, why.", "Code", "more")


def test_an_exception_of_a_newer_release_is_one_of_ours_all_the_same() -> None:
    assert type(error_of(Problem(type="FromTheFuture", code="C", message="m"))) is EstivaError


def test_an_error_that_is_no_problem_of_ours_shows_what_was_answered(control: Script) -> None:
    control.on("GET", "/x", Answer(500, b"Internal Server Error"))
    with pytest.raises(ControlServerException, match="answered 500: Internal Server Error"):
        connect().request("GET", "/x")


# --- streams ----------------------------------------------------------------------------------------------


def stream_of(*documents: object, breaks_off: bool = False) -> Answer:
    return Answer(
        body=b"".join(json.dumps(item).encode() + b"\n" for item in documents), breaks_off=breaks_off
    )


def test_the_documents_of_a_stream(control: Script) -> None:
    control.on("GET", "/watch", stream_of({"n": 1}, {"n": 2}))
    with connect().stream("GET", "/watch") as response:
        assert list(lines(response)) == [{"n": 1}, {"n": 2}]


def test_progress_is_shown_and_the_result_returned(control: Script) -> None:
    control.on(
        "POST",
        "/build",
        stream_of({"message": "a"}, {"kind": "bytes", "done": 1, "total": 2}, {"result": {"x": 1}}),
    )
    shown: list[Progress] = []
    assert connect().progress("/build", body={}, show=shown.append) == {"x": 1}
    assert shown == [Progress(message="a"), Progress(kind="bytes", done=1, total=2)]


def test_a_problem_in_a_stream_is_raised(control: Script) -> None:
    control.on("POST", "/build", stream_of({"message": "a"}, {"kind": "problem", "problem": PROBLEM}))
    with pytest.raises(WebserviceException, match=r"^Port 1 is in use\.$"):
        connect().progress("/build", body={}, show=lambda _: None)


@pytest.mark.parametrize("breaks_off", [True, False])
def test_a_stream_without_an_end_is_no_success(control: Script, breaks_off: bool) -> None:
    control.on("POST", "/build", stream_of({"message": "a"}, breaks_off=breaks_off))
    with pytest.raises(ControlServerException) as caught:
        connect().progress("/build", body={}, show=lambda _: None)
    assert caught.value.code == "ControlServerEnded"
    assert "try again" in caught.value.message.lower()


# --- foreign errors ---------------------------------------------------------------------------------------

# All but one: the API sets no cookies.
FOREIGN = [
    kind
    for kind in vars(httpx).values()
    if isinstance(kind, type) and issubclass(kind, Exception) and kind is not httpx.CookieConflict
]


@pytest.mark.parametrize("kind", FOREIGN)
def test_every_exception_of_httpx_is_translated(kind: type[Exception]) -> None:
    with pytest.raises(ControlServerException) as caught, translated():
        raise kind.__new__(kind, "what httpx says")
    timed_out = issubclass(kind, httpx.TimeoutException)
    assert caught.value.code == ("ControlServerTimeout" if timed_out else "ControlServerEnded")
    assert isinstance(caught.value.__cause__, kind)


# --- the server's life ------------------------------------------------------------------------------------


class ConnectionWithAStandIn(Connection):
    """Starts a stand-in where the real one starts the control server."""

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.script = Script()
        self.script.on("GET", "/status", of_json(STATUS))
        self.script.on("GET", "/x", of_json("of the new one"))
        self.starts = 0
        self.running = ExitStack()

    def _start(self) -> None:
        self.starts += 1
        self.home.control_socket.unlink(missing_ok=True)
        self.running.enter_context(answering(self.script, self.home.control_socket))


@pytest.fixture
def connection(home: Home) -> Iterator[ConnectionWithAStandIn]:
    made = ConnectionWithAStandIn(home)
    with made.running:
        yield made
        made.close()


def leave_a_socket(home: Home) -> None:
    """As a control server does that was killed."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home.control_socket))


def test_nothing_is_started_to_ask_for_the_status(connection: ConnectionWithAStandIn) -> None:
    assert connection.status() is None
    leave_a_socket(connection.home)
    assert connection.status() is None
    assert connection.stop() is False
    assert connection.starts == 0


def test_a_server_is_started_once_when_it_is_needed(connection: ConnectionWithAStandIn) -> None:
    assert connection.request("GET", "/x") == "of the new one"
    assert connection.request("GET", "/x") == "of the new one"
    assert connection.starts == 1


def test_a_server_that_was_killed_is_started_again_for_a_request_and_for_a_stream(
    connection: ConnectionWithAStandIn,
) -> None:
    connection.ensure()
    connection.running.close()
    leave_a_socket(connection.home)
    assert connection.request("GET", "/x") == "of the new one"
    connection.running.close()
    leave_a_socket(connection.home)
    with connection.stream("GET", "/x") as response:
        assert list(lines(response)) == ["of the new one"]
    assert connection.starts == 3


@pytest.mark.parametrize("status", [{**STATUS, "news": 1}, {"pid": 7}])
def test_a_server_of_another_release_is_ended_and_replaced(
    connection: ConnectionWithAStandIn, status: dict[str, object]
) -> None:
    old = Script()
    old.on("GET", "/status", of_json({**status, "version": "0.0.1"}))
    old.on("POST", "/shutdown", Answer(202))
    with answering(old, connection.home.control_socket):
        assert connection.request("GET", "/x") == "of the new one"
    assert old.asked[-1].path == "/shutdown"


def test_a_home_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    connection = Connection(Home(tmp_path / "file"))
    with pytest.raises(
        ControlServerException, match=r"cannot be used: .* Set ESTIVA_HOME to a folder of yours"
    ):
        connection.request("GET", "/x")
    connection.close()


def test_each_home_has_a_connection_of_its_own(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    first = connect()
    assert connect() is first
    assert first.home.root == home.root
    monkeypatch.setenv("ESTIVA_HOME", str(home.root / "other"))
    assert connect() is not first


# --- addresses --------------------------------------------------------------------------------------------


def test_an_address_keeps_every_character_of_a_name() -> None:
    assert address("workspaces", "a b", "models", "50%#?ü") == "/workspaces/a%20b/models/50%25%23%3F%C3%BC"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_what_no_name_can_be(name: str) -> None:
    with pytest.raises(UserErrorException, match="cannot be a name") as caught:
        address("workspaces", name)
    assert caught.value.code == "NameInvalid"
