"""Several workers behind one socket: forked one by one, or from a loader that called init() once."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from estiva_server import contract
from tests.server.conftest import Serve
from tests.server.serving import SECONDS, ScoringServer, gone, wait_for_metric

MEETING = """
import os, socket, time
def init():
    global loaded_by
    loaded_by = os.getpid()
    print("init was called")
def run(data):
    if data == "stuck": time.sleep(60)
    if data == "die": os._exit(9)
    if data: time.sleep(float(data))
    return [os.getpid(), loaded_by]
"""
both = pytest.mark.parametrize("preload", ["false", "true"], ids=["forked", "preloaded"])


def start(serve: Serve, preload: str, **variables: str) -> ScoringServer:
    return serve({"score.py": MEETING}, WORKER_COUNT="2", WORKER_PRELOAD=preload, **variables)


def wait_for_workers(server: ScoringServer, but: int = 0) -> set[int]:
    """Two that score, neither of which is `but`."""
    deadline = time.monotonic() + SECONDS
    found: set[int] = set()
    with ThreadPoolExecutor(8) as pool:
        while len(found) < 2 and time.monotonic() < deadline:
            answers = pool.map(lambda _: server.score("0.02"), range(8))
            found |= {answer.json[0] for answer in answers if answer.status == 200} - {but}
    assert len(found) == 2
    return found


@both
def test_two_workers_share_the_requests(serve: Serve, preload: str) -> None:
    server = start(serve, preload)
    workers = wait_for_workers(server)
    assert workers == set(server.status["worker_pids"])
    assert server.status["phase"] == "ready"
    assert server.log.text.count("init was called") == (1 if preload == "true" else 2)
    assert server.stop() == contract.EXIT_OK
    assert all(gone(worker) for worker in workers)
    assert server.log.text.count("draining") == 1


@both
def test_how_many_requests_it_takes_is_said_when_it_is_ready(serve: Serve, preload: str) -> None:
    numbers = {"ESTIVA_CONCURRENCY": "3", "ESTIVA_BATCH_MAX_SIZE": "8"}
    server = start(serve, preload, **numbers)
    assert server.status["capacity"] == 2 * 3 * 8
    os.kill(server.status["worker_pids"][0], signal.SIGKILL)
    server.log.wait_for("was killed by SIGKILL")
    assert server.status["capacity"] == 2 * 3 * 8


def test_preloaded_workers_are_no_child_of_the_supervisor_and_share_what_init_made(serve: Serve) -> None:
    server = start(serve, "true")
    worker, loader = server.score("").json
    assert worker != loader
    assert loader not in {server.process.pid, *server.status["worker_pids"]}
    assert f"PPid:\t{loader}\n" in Path(f"/proc/{worker}/status").read_text()


@both
def test_a_worker_that_dies_is_replaced_and_the_other_goes_on(serve: Serve, preload: str) -> None:
    server = start(serve, preload)
    dead, other = wait_for_workers(server)
    os.kill(dead, signal.SIGKILL)
    server.log.wait_for("The worker was killed by SIGKILL while it served")
    assert wait_for_workers(server, but=dead) >= {other}
    server.wait_until_ready(2)
    assert server.status["restarts"] == 1
    assert server.status["worker_signal"] == signal.SIGKILL
    assert server.status["phase"] == "ready"


@both
def test_a_stuck_worker_is_answered_for_and_replaced_alone(serve: Serve, preload: str) -> None:
    server = start(serve, preload, SCORING_TIMEOUT_MS="400")
    before = wait_for_workers(server)
    began = time.monotonic()
    assert server.score("stuck").status == 504
    assert 0.4 <= time.monotonic() - began < 0.5 + 0.2  # the machine may be busy with other tests
    server.log.wait_for("run\\(\\) exceeded its deadline: the worker is replaced")
    after = wait_for_workers(server)
    assert len(before & after) == 1
    assert gone((before - after).pop())
    assert server.status["restarts"] == 1


# A function of the C library called with the interpreter's lock held, as a badly written extension does.
HOLDS_THE_LOCK = "import ctypes\ndef init(): pass\ndef run(data): ctypes.PyDLL(None).sleep(60)\n"


@both
def test_a_worker_that_lets_nothing_else_run_is_replaced_alone(serve: Serve, preload: str) -> None:
    variables = {"WORKER_COUNT": "2", "WORKER_PRELOAD": preload, "SCORING_TIMEOUT_MS": "300"}
    server = serve({"score.py": HOLDS_THE_LOCK}, **variables)
    before = set(server.workers(2))
    with pytest.raises(OSError, match=r"closed|reset"):
        server.score("stuck")
    server.log.wait_for("lets nothing else run: the worker is replaced")
    assert len(before & set(server.workers(2))) == 1
    assert server.status["restarts"] == 1


DEATHS = {
    "segfault": "import ctypes; ctypes.string_at(0)",
    "exit": "os._exit(9)",
    "out of memory": "os.kill(os.getpid(), 9)",  # as the kernel does
    "abort": "os.abort()",  # as C++ does
    "loop": "\n        while True: pass",
}


@pytest.mark.parametrize("death", DEATHS)
def test_however_a_worker_dies_it_is_replaced_at_once_again_and_again(serve: Serve, death: str) -> None:
    run = f"def run(data):\n    if data == 'die': {DEATHS[death]}\n    return data\n"
    script = f"import os\ndef init(): pass\n{run}"
    server = serve({"score.py": script}, SCORING_TIMEOUT_MS="300")
    for number in range(1, 4):
        if death == "loop":
            assert server.score("die").status == 504
        else:
            with pytest.raises(OSError, match=r"closed|reset"):
                server.score("die")
        server.wait_until_ready(number + 1)
        assert server.score("next").json == "next"
    assert server.status["restarts"] == 3


@both
def test_five_deaths_in_a_row_end_the_server(serve: Serve, preload: str) -> None:
    server = start(serve, preload)
    wait_for_workers(server)
    for _ in range(5):
        with pytest.raises(OSError, match=r"closed|reset"):
            server.score("die")
    assert server.wait() == contract.EXIT_CRASH_LOOP
    assert server.status["exit_code"] == contract.EXIT_CRASH_LOOP
    assert "The worker died 5 times in a row. The worker ended with status 9" in server.status["reason"]


@both
def test_a_reload_replaces_all_workers_when_all_are_ready(serve: Serve, preload: str) -> None:
    server = start(serve, preload)
    before = wait_for_workers(server)
    edited = "import os\ndef init(): pass\ndef run(data): return 'edited'\n"
    (server.folder / "score.py").write_text(edited)
    server.send(signal.SIGHUP)
    assert all(gone(worker) for worker in before)
    assert {server.score("").json for _ in range(8)} == {"edited"}
    assert server.status["phase"] == "ready"
    assert server.status["restarts"] == 0
    assert not before & set(server.workers(2))


@both
def test_a_broken_reload_leaves_all_workers_as_they_were(serve: Serve, preload: str) -> None:
    server = start(serve, preload)
    before = wait_for_workers(server)
    (server.folder / "score.py").write_text("def init(): 1 / 0\ndef run(data): pass\n")
    server.send(signal.SIGHUP)
    server.log.wait_for("the reload failed; the worker that ran before goes on")
    assert wait_for_workers(server) == before
    assert "ZeroDivisionError" in server.status["reason"]


@both
def test_a_script_that_does_not_start_ends_the_server(serve: Serve, preload: str) -> None:
    script = "def init(): 1 / 0\ndef run(data): pass\n"
    server = serve.start({"score.py": script}, WORKER_COUNT="2", WORKER_PRELOAD=preload)
    assert server.wait() == contract.EXIT_INIT_FAILED
    assert "init() in score.py raised ZeroDivisionError" in server.status["reason"]


@both
def test_running_requests_of_all_workers_finish_when_it_is_asked_to_end(serve: Serve, preload: str) -> None:
    server = start(serve, preload)
    wait_for_workers(server)
    with ThreadPoolExecutor() as pool:
        running = []
        for count in (1, 2):
            running.append(pool.submit(server.score, "3"))
            wait_until_running(server, count)
        assert server.stop() == contract.EXIT_OK
        assert [one.result().status for one in running] == [200, 200]


def wait_until_running(server: ScoringServer, count: int) -> None:
    wait_for_metric(server, f"estiva_requests_running {count}")


def test_no_preloaded_worker_survives_the_supervisor(serve: Serve) -> None:
    server = start(serve, "true")
    worker, loader = server.score("").json
    server.send(signal.SIGKILL)
    server.wait()
    assert gone(worker)
    assert gone(loader)


def test_a_loader_that_dies_is_replaced_with_its_workers(serve: Serve) -> None:
    server = start(serve, "true")
    worker, loader = server.score("").json
    os.kill(loader, signal.SIGKILL)
    assert gone(worker)
    again = server.score("").json
    assert loader not in again
    assert server.status["restarts"] == 1


BUSY = """
import time
def init(): pass
def run(data):
    end = time.monotonic() + 1
    while time.monotonic() < end: pass
"""


def test_preloaded_workers_share_the_memory_of_the_model(serve: Serve) -> None:
    megabytes = 128
    script = (
        f"import os\ndef init(): global model; model = os.urandom(1) * ({megabytes} << 20)\n"
        "def run(data): return model[len(model) // 2]\n"
    )
    server = serve({"score.py": script}, WORKER_COUNT="2", WORKER_PRELOAD="true")
    server.score("")
    for worker in server.workers(2):
        rollup = Path(f"/proc/{worker}/smaps_rollup").read_text()
        private = re.findall(r"^Private_\w+: +(\d+) kB", rollup, re.MULTILINE)
        assert sum(map(int, private)) < megabytes * 1024 / 2


def test_health_and_metrics_are_answered_quickly_while_every_slot_computes(serve: Serve) -> None:
    server = serve({"score.py": BUSY}, ESTIVA_CONCURRENCY="2", WORKER_COUNT="1")
    # Two run, the others wait.
    threads = [threading.Thread(target=server.score, args=("",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    wait_until_running(server, 2)
    took = []
    for path in ("/", "/metrics") * 10:
        began = time.monotonic()
        assert server.ask("GET", path).status == 200
        took.append(time.monotonic() - began)
    for thread in threads:
        thread.join(SECONDS)
    # The best quarter: others may keep this machine busy meanwhile.
    assert sorted(took)[len(took) // 4] < 0.05
