from __future__ import annotations

import json

from estiva.gateway.traffic import summarize
from estiva.records import Answers, Traffic

NOW = 10_000.0


def line(seconds_ago: float, **fields: object) -> str:
    entry = {"time": NOW - seconds_ago, "kind": "service", "name": "iris", "version": "default"}
    ended = {"method": "POST", "status": 200, "run_ms": 100, "total_ms": 100, "end": "--"}
    return json.dumps({**entry, **ended, **fields})


def test_requests_are_counted_by_how_they_were_answered() -> None:
    lines = [
        line(56),
        line(55, run_ms=300),
        line(54, status=503, end="sQ", run_ms=-1),
        line(54, status=503, end="sQ", run_ms=-1),
        line(53, status=502, end="SH", run_ms=-1),
    ]
    assert summarize(lines, "service:iris:default", NOW) == Traffic(
        seconds=56,
        requests=5,
        answers=(
            Answers(status=200, end="--", count=2),
            Answers(status=502, end="SH", count=1),
            Answers(status=503, end="sQ", count=2),
        ),
        busiest_rps=0.5,
        run_ms=200,
    )


def test_others_requests_older_ones_and_half_lines_do_not_count() -> None:
    lines = [line(60, name="rose"), line(60, kind="endpoint"), line(1000), line(60)[:30], "[]", "1", ""]
    assert summarize(lines, "service:iris:default", NOW) == Traffic(seconds=0, requests=0)


def test_what_browsers_and_probes_ask_for_by_themselves_does_not_count() -> None:
    lines = [line(60, method="GET"), line(60, method="GET", status=404), line(60, status=404)]
    found = summarize(lines, "service:iris:default", NOW)
    assert [(answer.status, answer.count) for answer in found.answers] == [(404, 1)]
