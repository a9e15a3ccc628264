from __future__ import annotations

from estiva.diagnosis import examine, runs
from estiva.records import Answers, Evidence, Limits, StepName, Traffic

RAISED = """\
ERROR estiva_server: run() raised an exception (request id {id}), given an object with a: a number
Traceback (most recent call last):
  File "/r/app/score.py", line 7, in run
    return 1 / count
ZeroDivisionError: division by zero"""
CAUGHT = """\
Traceback (most recent call last):
  File "/r/app/score.py", line 20, in run
    other()
ValueError: caught by the script itself"""
LATE = """\
ERROR estiva_server: run() did not end within 1000 ms: answered 504, (request id r7). It was here:
  File "/r/app/score.py", line 7, in run
    return poll()
  File "/usr/lib/python3.11/socket.py", line 706, in readinto
    return self._sock.recv_into(b)
INFO something else"""


def evidence(*texts: str, **more: object) -> Evidence:
    lines = [f"2026-11-25T12:00:00.000Z {line}" for text in texts for line in text.splitlines()]
    content = {"step": StepName.RUN, "log_tail": lines, "entry_script": "score.py", **more}
    return Evidence.model_validate(content)


def test_failures_that_are_the_same_are_counted_and_the_last_is_told() -> None:
    seen = evidence(CAUGHT, RAISED.format(id="r1"), CAUGHT, RAISED.format(id="r2"))
    (failure,) = runs.raised(seen)
    assert (failure.count, failure.request, failure.given) == (2, "r2", "an object with a: a number")
    assert (failure.raised.exception, failure.raised.line) == ("ZeroDivisionError", 7)
    (finding,) = examine(seen)
    assert finding.code == "RunRaised"


def test_what_the_script_caught_itself_is_no_failure() -> None:
    assert examine(evidence(CAUGHT, "run() raised an exception (request id x)")) == ()


def test_where_a_call_was_at_its_deadline() -> None:
    (finding,) = examine(evidence(LATE))
    assert finding.title == "score.py, line 7, in run(): run() did not end within 1000 ms"
    assert finding.evidence == (
        "it was at score.py, line 7, in run()",
        "1 request failed so; the last: request id r7",
    )


def test_requests_that_found_no_replica_say_how_many_replicas_the_load_needs() -> None:
    traffic = Traffic(
        seconds=300,
        requests=100,
        answers=(Answers(status=200, end="--", count=90), Answers(status=503, end="sQ", count=10)),
        busiest_rps=20,
        run_ms=150,
    )
    limits = Limits(replicas=2, concurrency=1, wait_ms=500, timeout_ms=60_000)
    (finding,) = examine(evidence(traffic=traffic, limits=limits))
    assert finding.title == "10 of 100 requests found no free replica (503)"
    assert "sizing rule: 20 requests/s x 0.15 s / 0.7 / 1 = 5 replicas" in finding.evidence
    assert finding.todo[0] == "Scale to 5: `estiva service scale NAME 5`."


def test_values_of_the_callers_are_not_told() -> None:
    failure = RAISED.format(id="r1").replace(
        "ZeroDivisionError: division by zero", "ValueError: invalid date '1970-13-01' of patient 'Ana'"
    )
    (finding,) = examine(evidence(failure))
    assert "ValueError: invalid date '...' of patient '...'" in finding.title
    assert "Ana" not in str(finding)


def test_a_loop_of_deaths_is_told_with_its_first_cause() -> None:
    first = "estiva-server: The worker was killed by SIGKILL while it served."
    later = "estiva-server: ended with exit status 3. init() in score.py raised OSError: no database"
    (finding,) = examine(evidence("loading", first, later, later))
    assert finding.code == "RestartLoop"
    assert finding.title.startswith("The replica died 3 times; the first time: The replica was killed")
