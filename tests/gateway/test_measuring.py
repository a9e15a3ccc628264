from __future__ import annotations

import json
from datetime import datetime, timezone

from estiva.gateway import measuring
from estiva.records import Measures


def line(version: str, status: int = 200, total_ms: int = 5, time: float = 100.0, name: str = "churn") -> str:
    entry = {"kind": "endpoint", "name": name, "version": version, "status": status}
    return json.dumps({**entry, "total_ms": total_ms, "run_ms": total_ms, "time": time, "end": "--"})


def test_statuses_and_latencies_of_each_version() -> None:
    lines = [line("a", total_ms=number, time=1000 - number) for number in range(1, 101)]
    lines += [line("b", 502, 7), line("b"), line("a", name="other"), '{"kind":"endpoint","na', "[]"]
    assert measuring.measure(lines, "endpoint", "churn") == {
        "a": Measures(
            requests=100,
            statuses={"200": 100},
            p50_ms=50,
            p95_ms=95,
            p99_ms=99,
            since=datetime.fromtimestamp(900, timezone.utc),
        ),
        "b": Measures(
            requests=2,
            statuses={"200": 1, "502": 1},
            p50_ms=5,
            p95_ms=7,
            p99_ms=7,
            since=datetime.fromtimestamp(100, timezone.utc),
        ),
    }
