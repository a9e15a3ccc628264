"""Scoring in batches, with a real server. Batches wait until they are full, so that their size is certain."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from estiva_server import contract
from tests.server.conftest import Serve
from tests.server.serving import Answer, ScoringServer, gone, wait_for_metric
from tests.server.test_metrics import metrics

LONG = 600_000
"""Milliseconds that never pass."""


def script(run: str, size: int = 4, wait: int = LONG, before: str = "") -> dict[str, str]:
    imports = "import os, time\nfrom estiva_server import AMLResponse, batched\n"
    decorator = f"@batched(max_size={size}, max_wait_ms={wait})\n"
    return {"score.py": f"{imports}def init(): pass\n{before}{decorator}{run}\n"}


def score_all(server: ScoringServer, bodies: Iterable[str]) -> list[Answer]:
    """At the same time, with the bodies as ids."""
    with ThreadPoolExecutor(64) as pool:
        return list(pool.map(lambda body: server.score(body, x_request_id=body), bodies))


def wait_until_waiting(server: ScoringServer, count: int) -> None:
    wait_for_metric(server, f"estiva_requests_waiting {count}")


DOUBLE = "def run(data): return [[len(data), 2 * int(one)] for one in data]"


def test_requests_that_come_together_are_one_call(serve: Serve) -> None:
    server = serve(script(DOUBLE))
    answers = score_all(server, "1234")
    assert [answer.json for answer in answers] == [[4, 2], [4, 4], [4, 6], [4, 8]]
    assert len({answer.headers["x-ms-run-fn-exec-ms"] for answer in answers}) == 1
    found = metrics(server)
    assert found['batch_size_bucket{le="4"}'] == found["batch_size_count"] == found["run_seconds_count"] == 1
    assert found["batch_size_sum"] == found['requests_total{status="200"}'] == 4


def test_a_lone_request_waits_no_longer_than_it_is_told(serve: Serve) -> None:
    server = serve(script(DOUBLE, wait=20))
    assert server.score("21").json == [1, 42]


def test_variables_batch_a_script_that_does_not_say_so(serve: Serve) -> None:
    plain = {"score.py": f"def init(): pass\n{DOUBLE}\n"}
    server = serve(plain, ESTIVA_BATCH_MAX_SIZE="2", ESTIVA_BATCH_MAX_WAIT_MS=str(LONG))
    assert [answer.json for answer in score_all(server, "12")] == [[2, 2], [2, 4]]


# run() says that it began, and ends when the test writes into the pipe.
BLOCKED = """
def run(data):
    print("began", len(data))
    with open("pipe") as pipe: pipe.read()
    return [len(data)] * len(data)
"""


def test_a_batch_grows_while_the_slot_is_busy_and_holds_no_thread(serve: Serve) -> None:
    server = serve(script(BLOCKED, size=40, wait=0))
    pipe = server.folder / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(64) as pool:
        first = pool.submit(server.score, "1")
        server.log.wait_for("began 1")
        others = [pool.submit(server.score, "2") for _ in range(39)]
        wait_until_waiting(server, 39)
        assert server.ask("GET", "/").body == b"Healthy"
        for count in (1, 39):
            server.log.wait_for(f"began {count}$")
            pipe.write_text("done")
        assert first.result().json == 1
        assert {other.result().json for other in others} == {39}


def test_headers_come_as_a_list_too(serve: Serve) -> None:
    run = "def run(data, request_headers):\n    return [one['X-Request-Id'] for one in request_headers]"
    assert [answer.json for answer in score_all(serve(script(run)), "1234")] == ["1", "2", "3", "4"]


def test_raw_requests_and_asynchronous_functions(serve: Serve) -> None:
    run = (
        "async def run(data):\n"
        "    return [AMLResponse(one.get_data(), 201, {'X-Many': str(len(data))}) for one in data]"
    )
    answers = score_all(serve(script(run, before="from estiva_server import rawhttp\n@rawhttp\n")), "1234")
    assert [answer.body for answer in answers] == [b"1", b"2", b"3", b"4"]
    assert {(answer.status, answer.headers["x-many"]) for answer in answers} == {(201, "4")}


# --- one fails alone -------------------------------------------------------------------------------------


def test_a_result_that_is_an_exception_fails_its_own_request(serve: Serve) -> None:
    run = "def run(data): return [ValueError('a bad one') if one == '2' else one for one in data]"
    server = serve(script(run), ESTIVA_DEBUG="1")
    answers = score_all(server, "1234")
    assert [answer.status for answer in answers] == [200, 502, 200, 200]
    assert answers[1].headers["x-ms-run-function-failed"] == "True"
    assert answers[1].json["traceback"] == "ValueError: a bad one\n"
    server.log.wait_for(r"run\(\) raised an exception \(request id 2\)")


def test_when_run_raises_only_the_culprit_fails(serve: Serve) -> None:
    run = "def run(data):\n    print('of', len(data))\n    return [1 / int(one) for one in data]"
    server = serve(script(run, size=8))
    answers = score_all(server, "12304567")
    assert [answer.status for answer in answers] == [200, 200, 200, 502, 200, 200, 200, 200]
    assert answers[2].json == 1 / 3
    server.log.wait_for(r"run\(\) raised an exception \(request id 0\)")
    assert server.log.text.count("ZeroDivisionError") == 1
    # The whole, then halves of what failed: 8, 4 and 4, 2 and 2, 1 and 1.
    assert metrics(server)["run_seconds_count"] == 1
    assert sorted(line[-1] for line in server.log.text.splitlines() if "] of " in line) == list("1122448")


def test_a_result_that_json_cannot_hold_and_a_stream_fail_alone(serve: Serve) -> None:
    run = "def run(data): return [{1} if one == '1' else iter_(one) if one == '2' else one for one in data]\n"
    server = serve(script(run + "def iter_(one): yield one"))
    assert [answer.status for answer in score_all(server, "1234")] == [502, 502, 200, 200]
    server.log.wait_for(r"result is of type set.*\(request id 1\)")
    server.log.wait_for(r"returned a stream for one request of a batch.*\(request id 2\)")


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (
            "data[1:]",
            r"run\(\) was given 4 requests and returned 3 results\. A batched run\(\) must return one",
        ),
        ("'abcd'", r"run\(\) is batched, so it must return a list, but it returned a str\."),
        ("memoryview(b'abcd')", r"returned a memoryview\. Return its \.tolist\(\) instead"),
    ],
)
def test_not_one_result_for_each_request_fails_all(serve: Serve, result: str, said: str) -> None:
    server = serve(script(f"def run(data): return {result}"))
    assert {answer.status for answer in score_all(server, "1234")} == {502}
    server.log.wait_for(said, 4)


def test_a_request_that_cannot_be_read_is_in_no_batch(serve: Serve) -> None:
    server = serve(script(DOUBLE))
    assert server.score(b"\xff").status == 400
    assert [answer.status for answer in score_all(server, "1234")] == [200] * 4


def test_lines_that_are_printed_name_the_first_request_and_how_many_more(serve: Serve) -> None:
    server = serve(script("def run(data):\n    print('scoring')\n    return data"))
    score_all(server, "1234")
    server.log.wait_for(r"\[[1234] \+3\] scoring")


# --- deadline, death, end --------------------------------------------------------------------------------


def test_all_of_a_batch_beyond_its_deadline_are_answered_504_and_the_worker_is_replaced(serve: Serve) -> None:
    run = "def run(data):\n    if 'stuck' in data: time.sleep(60)\n    return data"
    server = serve(script(run, size=2), SCORING_TIMEOUT_MS="300")
    before = server.worker
    answers = score_all(server, ["stuck", "other"])
    assert [answer.status for answer in answers] == [504, 504]
    assert [answer.headers["x-request-id"] for answer in answers] == ["stuck", "other"]
    assert gone(before)
    assert [answer.json for answer in score_all(server, "12")] == ["1", "2"]
    server.log.wait_for(r"score\.py\", line \d+, in run")
    server.log.wait_for(r"\(in one call with (stuck|other) \+1\)")


def test_what_waits_behind_a_stuck_batch_is_sent_away(serve: Serve) -> None:
    run = "def run(data):\n    print('began')\n    time.sleep(60)"
    server = serve(script(run, size=4, wait=0), SCORING_TIMEOUT_MS="1000")
    with ThreadPoolExecutor() as pool:
        stuck: Future[Answer] = pool.submit(server.score, "1")
        server.log.wait_for("began")
        waiting = pool.submit(server.score, "2")
        assert stuck.result().status == 504
        assert (waiting.result().status, waiting.result().headers["retry-after"]) == (503, "1")


def test_a_death_takes_its_batch_with_it(serve: Serve) -> None:
    run = "def run(data):\n    if 'die' in data: os._exit(9)\n    return data"
    server = serve(script(run, size=2))

    def score(body: str) -> int | str:
        try:
            return server.score(body).status
        except OSError:
            return "closed"

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(score, ["die", "other"])) == ["closed", "closed"]
    assert [answer.json for answer in score_all(server, "12")] == ["1", "2"]
    assert server.status["restarts"] == 1


def test_what_has_come_is_answered_before_the_end(serve: Serve) -> None:
    server = serve(script(DOUBLE, size=4, wait=1500))
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(server.score, body) for body in "123"]
        wait_until_waiting(server, 3)
        server.send(signal.SIGTERM)
        assert sorted(one.result().json for one in waiting) == [[3, 2], [3, 4], [3, 6]]
    assert server.wait() == contract.EXIT_OK


# --- what cannot be batched ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("def run(data): yield 1", "is batched and yields its answer. A batched run() must return a list."),
        (
            "@input_schema('data', StandardPythonParameterType(1))\ndef run(data): pass",
            "is batched and has a schema, which describes one request.",
        ),
    ],
)
def test_a_run_that_cannot_be_batched_ends_the_server_at_once(serve: Serve, run: str, said: str) -> None:
    imports = (
        "from inference_schema.schema_decorators import input_schema\n"
        "from inference_schema.parameter_types.standard_py_parameter_type import (\n"
        "    StandardPythonParameterType,\n)\n"
    )
    server = serve.start(script(run, before=imports))
    assert server.wait() == contract.EXIT_INIT_FAILED
    assert f"run() in score.py {said}" in server.status["reason"]


# --- the slots -------------------------------------------------------------------------------------------


def test_two_slots_take_what_there_is_beyond_one_batch(serve: Serve) -> None:
    barrier = "import threading\nmeeting = threading.Barrier(2, timeout=10)\n"
    files = script("def run(data): return [meeting.wait()] * len(data)", size=2, before=barrier)
    server = serve(files, ESTIVA_CONCURRENCY="2")
    assert sorted(answer.json for answer in score_all(server, "1234")) == [0, 0, 1, 1]
