"""HTTP as the native server does it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest

from tests.server.conftest import Serve
from tests.server.serving import SECONDS, ScoringServer

COUNT = "def init(): pass\ndef run(data): return len(data)\n"


@pytest.fixture
def server(serve: Serve) -> ScoringServer:
    return serve({"score.py": COUNT}, ESTIVA_BODY_LIMIT_BYTES="1000000")


def chunks(size: int) -> Iterator[bytes]:
    yield from (b"x" * 50_000 for _ in range(size // 50_000))


def test_bodies_up_to_the_limit(server: ScoringServer) -> None:
    assert server.score(b"x" * 1_000_000).json == 1_000_000
    assert server.ask("POST", "/score", chunks(1_000_000)).json == 1_000_000
    assert server.score(b"").json == 0


def test_bodies_over_the_limit(server: ScoringServer) -> None:
    assert server.score(b"x" * 1_500_000).status == 413
    assert server.ask("POST", "/score", chunks(1_500_000)).status == 413
    assert server.score(b"x").json == 1


def test_bodies_are_utf8(server: ScoringServer) -> None:
    assert server.score("Größe").json == 5
    answer = server.score("Größe".encode("latin-1"))
    assert answer.status == 400
    assert "not UTF-8" in answer.json["message"]


def test_any_content_type(server: ScoringServer) -> None:
    assert server.score("a,b\n", content_type="text/csv").json == 4


def test_a_connection_serves_many_requests(server: ScoringServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    for size in range(5):
        connection.request("POST", "/score", b"x" * size)
        response = connection.getresponse()
        assert json.loads(response.read()) == size
        assert response.getheader("connection") != "close"
    connection.close()


def test_paths_and_queries_arrive_decoded(server: ScoringServer) -> None:
    assert server.ask("GET", "/score?a=%22%C3%B6%22").json == len(json.dumps({"a": "ö"}))
    assert server.ask("GET", "/sc%6Fre").status == 200
    assert server.ask("GET", "/nowhere").status == 404
    assert server.ask("GET", "/%C3%B6%FF").json["message"].startswith("There is nothing at /ö\ufffd.")


def test_an_id_of_odd_characters_does_not_break_the_answer(server: ScoringServer) -> None:
    answer = server.ask("GET", "/", headers={"x-request-id": "a\tb \xe9"})
    assert answer.status == 200
    assert answer.headers["x-request-id"]


STREAMS = """
def init(): pass

def run(data):
    try:
        if data == "endless":
            while True:
                yield "x" * 10_000
        yield "one,"
        if data == "fails":
            raise ValueError("secret")
        yield "two"
    finally:
        print("closed", data)
"""


def test_what_a_generator_yields_is_sent_in_chunks(serve: Serve) -> None:
    server = serve({"score.py": STREAMS})
    answer = server.score("ends")
    assert (answer.status, answer.body) == (200, b"one,two")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    server.log.wait_for("closed ends")


def test_a_client_that_leaves_ends_the_generator(serve: Serve) -> None:
    server = serve({"score.py": STREAMS})
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request("POST", "/score", b"endless")
    response = connection.getresponse()
    assert response.read(10) == b"x" * 10
    response.close()
    connection.close()
    server.log.wait_for("closed endless")
    assert server.score("ends").body == b"one,two"


def test_a_generator_that_fails_ends_the_answer(serve: Serve) -> None:
    server = serve({"score.py": STREAMS})
    assert server.score("fails", x_request_id="r1").body == b"one,"
    server.log.wait_for(r"in the midst of its answer \(request id r1\)")
    server.log.wait_for("ValueError: secret")
    server.log.wait_for("closed fails")


def test_a_script_sees_that_a_body_came_in_chunks(serve: Serve) -> None:
    script = (
        "from estiva_server import rawhttp\n"
        "def init(): pass\n"
        "@rawhttp\n"
        "def run(request):\n"
        "    sent = request.headers.get('Transfer-Encoding')\n"
        "    return [sent, request.content_length, request.data.decode()]\n"
    )
    server = serve({"score.py": script})
    assert server.ask("POST", "/score", iter([b"a", b"b"])).json == ["chunked", None, "ab"]
