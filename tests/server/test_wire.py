"""Malformed HTTP, byte by byte: each is refused or cut off, and nobody else notices."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.conftest import Serve
from tests.server.serving import ScoringServer
from tests.server.wire import Wire

pytestmark = pytest.mark.xdist_group("wire")

SCRIPT = """
def init(): pass

def run(data):
    if data == "large":
        return "x" * 30_000_000
    if data == "waits":
        print("began")
        with open("pipe") as pipe:
            pipe.read()
        print("ended")
    print("scored", len(data))
    return len(data)
"""
LIMIT = 1_000_000
PROMPT_SECONDS = 5.0
"""For an answer on a machine that has much else to do; a server that waits for others takes 30."""

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /score HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringServer]:
    with closing(Serve(tmp_path_factory.mktemp("wire"))) as serve:
        yield serve({"score.py": SCRIPT}, ESTIVA_BODY_LIMIT_BYTES=str(LIMIT))


@pytest.fixture
def server(shared: ScoringServer) -> Iterator[ScoringServer]:
    """However the test ended, it serves, in the same processes."""
    worker = shared.worker
    yield shared
    assert_serves(shared)
    assert shared.worker == worker
    assert shared.process.poll() is None


def assert_serves(server: ScoringServer) -> None:
    began = time.monotonic()
    assert server.ask("GET", "/").body == b"Healthy"
    assert server.score("abc").json == 3
    assert time.monotonic() - began < PROMPT_SECONDS


def post(head: bytes, body: bytes = b"abc") -> bytes:
    return POST + head + b"\r\n\r\n" + body


MALFORMED = {
    "two lengths": (post(b"Content-Length: 3\r\nContent-Length: 4"), 400),
    "a negative length": (post(b"Content-Length: -3"), 400),
    "a length with a sign": (post(b"Content-Length: +3"), 400),
    "a list of lengths": (post(b"Content-Length: 3, 3"), 400),
    "a length in words": (post(b"Content-Length: three"), 400),
    "a hexadecimal length": (post(b"Content-Length: 0x3"), 400),
    "an empty length": (post(b"Content-Length: "), 400),
    "a length beyond 64 bits": (post(b"Content-Length: 99999999999999999999"), 400),
    "the largest length of 64 bits": (post(b"Content-Length: 18446744073709551615"), 431),
    "an unknown coding": (post(b"Transfer-Encoding: gzip"), 400),
    "a coding like chunked": (post(b"Transfer-Encoding: xchunked"), 400),
    "chunked, but not last": (post(b"Transfer-Encoding: chunked, identity"), 400),
    "chunked, then another": (post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), 400),
    "a control character before chunked": (post(b"Transfer-Encoding: \x0bchunked"), 400),
    "a space before a colon": (post(b"Transfer-Encoding : chunked"), 400),
    "chunks in HTTP/1.0": (CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n", 400),
    "100 headers too many": (GET + b"".join(b"a%d: b\r\n" % n for n in range(200)) + b"\r\n", 431),
    "a megabyte of header": (GET + b"a: " + b"b" * 1_000_000 + b"\r\n\r\n", 431),
    "a long path": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 414),
    "no method": (b" / HTTP/1.1\r\n\r\n", 400),
    "a method that is none": (b"G@T / HTTP/1.1\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "a version of the past": (b"GET / HTTP/0.9\r\n\r\n", 400),
    "a version of the future": (b"GET / HTTP/9.9\r\n\r\n", 400),
    "another version": (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 400),
    "no HTTP at all": (b"hello\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50, 400),
    "a NUL in the path": (b"GET /\x00 HTTP/1.1\r\n\r\n", 400),
    "a NUL in a header's name": (GET + b"a\x00: b\r\n\r\n", 400),
    "a NUL in a header": (GET + b"a: b\x00c\r\n\r\n", 400),
    "a NUL in an id": (GET + b"x-request-id: b\x00c\r\n\r\n", 400),
    "a lone CR in a header": (GET + b"a: b\rc: d\r\n\r\n", 400),
    "a folded header": (GET + b"a: b\r\n c\r\n\r\n", 400),
    "a header without a colon": (GET + b"abc\r\n\r\n", 400),
    "bytes that are not UTF-8 in the path": (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused_and_its_connection_closed(server: ScoringServer, name: str) -> None:
    data, status = MALFORMED[name]
    with Wire(server) as wire:
        wire.send(data)
        answers = wire.answers()
    # Who still sends when the server hangs up may see that only.
    assert [answer.status for answer in answers] == [status] or (len(data) > LIMIT and not answers)
    assert all(answer.headers["connection"] == "close" for answer in answers)


UNUSUAL = {
    "the same length twice": (post(b"Content-Length: 3\r\nContent-Length: 3"), 200),
    "99 headers": (GET + b"".join(b"a%d: b\r\n" % n for n in range(98)) + b"\r\n", 200),
    "100 KB of header": (GET + b"a: " + b"b" * 100_000 + b"\r\n\r\n", 200),
    "a long id": (GET + b"x-request-id: " + b"x" * 101 + b"\r\n\r\n", 431),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 200),
    "empty lines before": (b"\r\n\r\n" + GET + b"\r\n", 200),
    "the path as a URL": (b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    "no path": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "a proxy's verb": (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "an unknown verb": (b"A" * 5000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    "an encoded NUL": (b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "an encoded byte that is not UTF-8": (b"GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "a broken escape": (b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "a web socket": (GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
    "HTTP/2 in the midst": (GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", 200),
    "a length by another name": (post(b"content_length: 9\r\nContent-Length: 3"), 200),
    "chunked by another name": (post(b"transfer_encoding: chunked\r\nContent-Length: 3"), 200),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_only_unusual_is_answered_and_the_connection_goes_on(
    server: ScoringServer, name: str
) -> None:
    data, status = UNUSUAL[name]
    with Wire(server) as wire:
        for _ in range(2):
            wire.send(data)
            answer = wire.answer()
            assert answer is not None
            assert answer.status == status


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKS = b"1\r\nZ\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4",
        b"Content-Length: 0\r\nTransfer-Encoding: chunked",
        b"Content-Length: %d\r\nTransfer-Encoding: chunked" % len(CHUNKS + SMUGGLED),
    ],
)
def test_a_request_with_a_length_and_chunks_is_the_last_on_its_connection(
    server: ScoringServer, head: bytes
) -> None:
    """The chunks count, and what follows is no request: whoever passed it on may have counted otherwise."""
    with Wire(server) as wire:
        wire.send(post(head, CHUNKS + SMUGGLED))
        (answer,) = wire.answers()
    assert (answer.status, answer.json) == (200, 1)
    assert answer.headers["connection"] == "close"


def test_a_length_does_not_hide_that_the_chunks_are_over_the_limit(server: ScoringServer) -> None:
    with Wire(server) as wire:
        wire.send(
            post(b"Content-Length: 1\r\nTransfer-Encoding: chunked", b"10000\r\n" + b"x" * 65536 + b"\r\n")
        )
        wire.send((b"10000\r\n" + b"x" * 65536 + b"\r\n") * 20 + b"0\r\n\r\n")
        assert [answer.status for answer in wire.answers()] == [413]


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"-1\r\nabc\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"3\nabc\n0\n\n",
        b"3;" + b"a" * 200_000 + b"\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\r\n0\r\n" + b"a: b\r\n" * 200_000 + b"\r\n",
    ],
    ids=["no size", "negative", "beyond 64 bits", "longer", "no CR", "flood in an extension", "flood after"],
)
def test_after_broken_chunks_nothing_more_is_taken_from_the_connection(
    server: ScoringServer, body: bytes
) -> None:
    with Wire(server) as wire:
        wire.send(CHUNKED + body + SMUGGLED)
        assert len(wire.answers()) <= 1


def test_requests_sent_at_once_are_answered_in_turn_until_one_is_malformed(server: ScoringServer) -> None:
    with Wire(server) as wire:
        wire.send((GET + b"\r\n") * 50 + post(b"Content-Length: 3") + SMUGGLED + b"no request\r\n\r\n" + GET)
        assert [answer.status for answer in wire.answers()] == [200] * 51 + [404, 400]


def test_a_body_that_no_one_reads_is_not_taken_for_a_request(server: ScoringServer) -> None:
    with Wire(server) as wire:
        wire.send(GET + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED)
        wire.send(b"GET /swagger.json HTTP/1.1\r\nConnection: close\r\n\r\n")
        answers = wire.answers()
    assert {answer.status for answer in answers} == {200}


def test_a_client_that_ends_in_the_middle_of_its_body_is_told(server: ScoringServer) -> None:
    with Wire(server) as wire:
        wire.send(post(b"Content-Length: 77777", b"x" * 500))
        wire.end()
        assert [answer.status for answer in wire.answers()] in ([400], [])
    assert "scored 500" not in server.log.text


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET", GET, post(b"Content-Length: 9"), CHUNKED + b"9\r\nabc"],
    ids=["nothing", "a word", "no end of the headers", "a part of the body", "a part of a chunk"],
)
def test_clients_that_leave_early(server: ScoringServer, sent: bytes) -> None:
    for _ in range(20):
        wire = Wire(server)
        wire.send(sent)
        wire.reset()


def test_a_client_that_leaves_in_the_middle_of_its_answer(server: ScoringServer) -> None:
    for _ in range(3):
        wire = Wire(server)
        wire.send(post(b"Content-Length: 5", b"large"))
        assert wire.read(20).startswith(b"HTTP/1.1 200 OK")
        wire.reset()


def test_a_client_that_leaves_while_its_request_runs(server: ScoringServer) -> None:
    pipe = server.folder / "pipe"
    os.mkfifo(pipe)
    wire = Wire(server)
    wire.send(post(b"Content-Length: 5", b"waits"))
    server.log.wait_for("began")
    wire.reset()
    assert server.ask("GET", "/").body == b"Healthy"
    pipe.write_text("done")
    server.log.wait_for("ended")


def test_hundreds_of_connections_that_say_nothing_or_too_little(server: ScoringServer) -> None:
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(400)]
        assert_serves(server)
        for wire in wires[::2]:
            wire.send(GET + b"a: ")
        assert_serves(server)
        for wire in wires[::2]:
            wire.send(b"b\r\n\r\n")
        for wire in wires[1::2]:
            wire.send(GET + b"\r\n")
        assert {answer.status for wire in wires if (answer := wire.answer())} == {200}


# Requests on one connection, of parts that are good or bad, and something put into the midst of them.
LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"GET /score?a=1 HTTP/1.1\r\n",
        b"POST /score HTTP/1.1\r\n",
        b"PUT /%zz HTTP/1.0\r\n",
    ]
)
HEADERS = st.sampled_from(
    [
        *(b"Host: x\r\n", b"Content-Length: 3\r\n", b"Content-Length: 4\r\n", b"Content-Length: 9999999\r\n"),
        *(
            b"Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: gzip, chunked\r\n",
            b"Connection: close\r\n",
        ),
        *(b"Connection: upgrade\r\n", b"Expect: 100-continue\r\n", b"x-request-id: " + b"x" * 101 + b"\r\n"),
        *(b"x-request-id: \xc3\xb6\xff\t\r\n", b"Content-Type: multipart/form-data\r\n"),
    ]
)
BODIES = st.sampled_from([b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"3\r\nabc", b"\xff\xff\xff"])
REQUESTS = st.builds(
    lambda line, headers, body: line + b"".join(headers) + b"\r\n" + body,
    *(LINES, st.lists(HEADERS, max_size=4), BODIES),
)
WORDS = st.binary(max_size=4) | st.sampled_from(
    [b"\r\n", b"\n", b"\r", b" ", b":", b"%00", b"-", b"0", b"\x00"]
)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    data = b"".join(draw(st.lists(REQUESTS, min_size=1, max_size=3)))
    place = draw(st.integers(0, len(data)))
    return data[:place] + draw(WORDS) + data[place + draw(st.integers(0, 4)) :]


ANSWERED = {100, 200, 400, 404, 405, 413, 414, 431}


def assert_answered_or_cut_off(server: ScoringServer, data: bytes) -> None:
    with Wire(server) as wire:
        wire.send(data)
        wire.end()
        assert {answer.status for answer in wire.answers()} <= ANSWERED


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoiled())
def test_any_bytes_are_answered_or_cut_off(server: ScoringServer, data: bytes) -> None:
    assert_answered_or_cut_off(server, data)


@pytest.mark.slow
@settings(max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoiled())
def test_very_many_bytes_are_answered_or_cut_off(server: ScoringServer, data: bytes) -> None:
    assert_answered_or_cut_off(server, data)


@pytest.mark.slow
def test_a_head_that_never_ends_is_cut_off(server: ScoringServer) -> None:
    with Wire(server, seconds=40) as wire:
        wire.send(GET + b"a: b")
        assert wire.answers() == []
