"""The text of /metrics, and what a running server says in it."""

from __future__ import annotations

import os
import re
import signal

from estiva_server.metrics import render
from estiva_server.scoreboard import Scoreboard, make_scoreboards
from tests.server.conftest import Serve
from tests.server.serving import ScoringServer


def test_the_sums_of_all_workers_as_prometheus_reads_them() -> None:
    boards = make_scoreboards(3, 2)
    for board in boards[:2]:
        board.count_answer(200)
        board.count_run(0.25)
        board.count_batch(3)
        board.note_waiting(2)
        board.begin(1, 1.0)
    boards[0].note_init(1.5)
    boards[1].note_init(2.5)
    boards[1].count_answer(502)
    boards[1].count_run(99.0)
    boards[2].count_restart()
    text = render(boards).decode()
    assert text.startswith(
        "# HELP estiva_requests_total Requests to score, by the status of the answer.\n"
        "# TYPE estiva_requests_total counter\n"
        'estiva_requests_total{status="200"} 2\n'
    )
    assert values(text) == {
        'requests_total{status="200"}': 2,
        'requests_total{status="502"}': 1,
        "requests_running": 2,
        "requests_waiting": 4,
        'run_seconds_bucket{le="0.25"}': 2,
        'run_seconds_bucket{le="60.0"}': 2,
        'run_seconds_bucket{le="+Inf"}': 3,
        "run_seconds_sum": 99.5,
        "run_seconds_count": 3,
        'batch_size_bucket{le="4"}': 2,
        'batch_size_bucket{le="+Inf"}': 2,
        "batch_size_sum": 6,
        "batch_size_count": 2,
        "worker_restarts_total": 1,
        "workers": 2,
        "init_seconds": 2.5,
    }


def values(text: str) -> dict[str, float]:
    """Without zeros, and of the histograms only some buckets."""
    samples = dict(
        line.removeprefix("estiva_").rsplit(" ", 1) for line in text.splitlines() if line[0] != "#"
    )
    shown = {name: float(value) for name, value in samples.items()}
    kept = re.compile(r'\w+_bucket\{le="(?!0\.25"|60\.0"|4"|\+Inf")')
    return {name: value for name, value in shown.items() if value and not kept.match(name)}


def test_each_line_is_a_sample_or_says_what_follows() -> None:
    for line in render([Scoreboard(1)]).decode().splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? [\d.e+-]+', line), line


def metrics(server: ScoringServer) -> dict[str, float]:
    answer = server.ask("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return values(answer.body.decode())


def test_a_server_counts_over_all_of_its_workers_and_their_replacements(serve: Serve) -> None:
    script = "import os\ndef init(): pass\ndef run(data): return os.getpid() if data else 1 / 0\n"
    server = serve({"score.py": script}, WORKER_COUNT="2")
    workers = {server.score("x").json for _ in range(20)}
    assert server.score("").status == 502
    assert server.ask("DELETE", "/score").status == 405
    server.ask("GET", "/")
    os.kill(workers.pop(), signal.SIGKILL)
    server.wait_until_ready(2)
    found = metrics(server)
    assert found['requests_total{status="200"}'] == 20
    assert found['requests_total{status="502"}'] == 1
    assert found['requests_total{status="405"}'] == 1
    assert found["run_seconds_count"] == 21
    assert found["worker_restarts_total"] == 1
    assert found["workers"] == 2
    assert 0 < found["init_seconds"] < 10
    assert "requests_running" not in found
