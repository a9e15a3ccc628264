"""The supervisor, with real processes and signals."""

from __future__ import annotations

import fcntl
import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from estiva_server import contract
from tests.server.conftest import Serve
from tests.server.serving import Answer, ScoringServer, gone, write_files

ECHO = """
import json
def init(): print("init was called")
def run(data): return json.loads(data)
"""

# run() says that it began, and ends when the test writes into the pipe.
BLOCKED = """
import json
def init(): pass
def run(data):
    print("began", data)
    with open("pipe") as pipe:
        return data + pipe.read()
"""


class Blocked:
    """A server whose run() waits for the test."""

    def __init__(self, serve: Serve, **variables: str) -> None:
        self.server = serve.start({"score.py": BLOCKED}, **variables)
        self.pipe = self.server.folder / "pipe"
        os.mkfifo(self.pipe)
        self.server.wait_until_ready()

    def release(self) -> None:
        self.pipe.write_text("done")


def test_ready_scores_and_ends_as_asked(serve: Serve) -> None:
    server = serve({"score.py": ECHO})
    assert server.score('{"a": [1, 2]}').json == {"a": [1, 2]}
    assert server.status["phase"] == "ready"
    assert server.status["pid"] == server.process.pid
    worker = server.worker
    assert server.stop() == contract.EXIT_OK
    assert server.status["phase"] == "exited"
    assert server.status["exit_code"] == 0
    assert server.status["worker_pids"] == []
    assert gone(worker)
    server.log.wait_for(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z init was called$")


def test_the_status_file_is_the_contract(serve: Serve) -> None:
    status = contract.Status(**serve({"score.py": ECHO}).status)
    assert status.phase == "ready"
    assert status.reason == ""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import no_such_package\ndef init(): pass\ndef run(d): pass", "No module named 'no_such_package'"),
        ("def init(): 1 / 0\ndef run(d): pass", "init() in score.py raised ZeroDivisionError"),
        ("def init(): pass", "score.py defines no function run(data)"),
        ("def run(data): pass", "score.py defines no function init()"),
        ("def init(:\n  pass", "score.py has a syntax error"),
        ("import sys; sys.exit(7)", "score.py could not be imported: it raised SystemExit: 7"),
        ("import os; os._exit(7)", "The worker ended with status 7 while the script was imported"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "The worker was killed by SIGKILL"),
    ],
)
def test_a_script_that_does_not_start_ends_the_server(serve: Serve, script: str, said: str) -> None:
    server = serve.start({"score.py": script})
    assert server.wait() == contract.EXIT_INIT_FAILED
    assert said in server.log.text
    assert server.status["phase"] == "exited"
    assert server.status["exit_code"] == contract.EXIT_INIT_FAILED
    assert said in server.status["reason"]


def test_the_traceback_of_init_is_the_users_own(serve: Serve) -> None:
    server = serve.start({"score.py": "def init():\n    {}['model']\ndef run(d): pass\n"})
    server.wait()
    lines = [line.split(" ", 1)[1] for line in server.log.text.splitlines()]
    first = lines.index("Traceback (most recent call last):")
    assert lines[first + 1] == f'  File "{server.folder}/score.py", line 2, in init'
    assert "KeyError: 'model'" in lines


def test_the_models_are_listed_when_init_fails(serve: Serve) -> None:
    files = {"score.py": "def init(): 1 / 0\ndef run(d): pass", "azureml-models/iris/2/model.pkl": "12345"}
    files |= {f"azureml-models/rose/1/{number:03}": "" for number in range(300)}
    server = serve.start(files)
    server.wait()
    server.log.wait_for(r"  iris/2/model\.pkl \(5 bytes\)")
    server.log.wait_for(r"  rose/1/198 \(0 bytes\)")
    assert "rose/1/199" not in server.log.text


def test_sigterm_lets_running_and_waiting_requests_finish(serve: Serve) -> None:
    blocked = Blocked(serve)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(blocked.server.score, "1")
        blocked.server.log.wait_for("began 1")
        waiting = [pool.submit(blocked.server.score, number) for number in "23"]
        # They are accepted when a request on another connection, sent later, has been answered.
        assert blocked.server.ask("GET", "/").status == 200
        blocked.server.send(signal.SIGTERM)
        blocked.server.log.wait_for("draining")
        assert blocked.server.status["phase"] == "draining"
        blocked.release()
        assert running.result().json == "1done"
        for number in range(2):
            blocked.server.log.wait_for("began [23]", number + 1)
            blocked.release()
        assert sorted(one.result().json for one in waiting) == ["2done", "3done"]
    assert blocked.server.wait() == contract.EXIT_OK


def test_sigint_ends_it_too(serve: Serve) -> None:
    server = serve({"score.py": ECHO})
    server.send(signal.SIGINT)
    assert server.wait() == contract.EXIT_OK


def test_sigterm_while_init_runs(serve: Serve) -> None:
    server = serve.start(
        {"score.py": "import time\ndef init():\n    print('begun')\n    time.sleep(60)\ndef run(d): pass"}
    )
    server.log.wait_for("begun")
    assert server.stop() == contract.EXIT_OK


def version(number: int) -> str:
    return f"def init(): pass\ndef run(data): return {number}\n"


def test_sighup_serves_the_edited_script_in_a_fresh_process(serve: Serve) -> None:
    server = serve({"score.py": version(1)})
    before = server.worker
    assert server.score("").json == 1
    (server.folder / "score.py").write_text(version(2))
    server.send(signal.SIGHUP)
    server.wait_until_ready(2)
    assert gone(before)
    assert server.score("").json == 2
    assert server.status["restarts"] == 0


def test_sighup_loses_no_request(serve: Serve) -> None:
    blocked = Blocked(serve)
    before = blocked.server.worker
    with ThreadPoolExecutor() as pool:
        running = pool.submit(blocked.server.score, "old")
        blocked.server.log.wait_for("began old")
        (blocked.server.folder / "score.py").write_text(version(2))
        blocked.server.send(signal.SIGHUP)
        blocked.server.wait_until_ready(2)
        blocked.release()
        assert running.result().json == "olddone"
    assert gone(before)
    assert blocked.server.score("").json == 2


def test_a_broken_edit_leaves_the_old_script_serving(serve: Serve) -> None:
    server = serve({"score.py": version(1)})
    before = server.worker
    (server.folder / "score.py").write_text("def init(): 1 / 0\ndef run(data): return 2\n")
    server.send(signal.SIGHUP)
    server.log.wait_for("the reload failed; the worker that ran before goes on")
    assert server.score("").json == 1
    assert server.worker == before
    assert server.status["phase"] == "ready"
    assert "ZeroDivisionError" in server.status["reason"]
    (server.folder / "score.py").write_text(version(3))
    server.send(signal.SIGHUP)
    server.wait_until_ready(2)
    assert gone(before)
    assert server.score("").json == 3
    assert server.status["reason"] == ""


def test_a_killed_worker_is_replaced_and_connections_wait_for_it(serve: Serve) -> None:
    server = serve({"score.py": ECHO})
    port = server.port
    os.kill(server.worker, signal.SIGKILL)
    assert server.score('"next"').json == "next"
    assert server.port == port
    assert server.status["restarts"] == 1
    assert server.status["worker_signal"] == signal.SIGKILL
    server.log.wait_for("The worker was killed by SIGKILL while it served")


def test_programs_of_a_dead_worker_die_with_it(serve: Serve) -> None:
    script = (
        "import subprocess\n"
        "def init(): global child; child = subprocess.Popen(['sleep', '60'])\n"
        "def run(data): return child.pid\n"
    )
    server = serve({"score.py": script})
    child = server.score("").json
    os.kill(server.worker, signal.SIGKILL)
    assert gone(child)
    next_child = server.score("").json
    server.stop()
    assert gone(next_child)


def test_no_worker_survives_its_supervisor(serve: Serve) -> None:
    server = serve({"score.py": ECHO})
    worker = server.worker
    server.send(signal.SIGKILL)
    server.wait()
    assert gone(worker)
    assert server.status["phase"] == "ready"


def test_one_server_per_run_directory(serve: Serve) -> None:
    first = serve({"score.py": ECHO})
    second = serve.start({"score.py": ECHO}, "--run-dir", str(first.run_dir))
    assert second.wait() == contract.EXIT_ALREADY_RUNNING
    assert f"A server already runs in {first.run_dir} (process {first.process.pid})" in second.log.text
    assert first.score("1").json == 1
    assert first.status["phase"] == "ready"


def test_the_lock_outlives_no_supervisor(serve: Serve) -> None:
    first = serve({"score.py": ECHO})
    first.send(signal.SIGKILL)
    first.wait()
    again = serve({"score.py": ECHO}, "--run-dir", str(first.run_dir))
    assert again.score("1").json == 1


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to see what is open")
def test_the_worker_holds_open_nothing_of_the_supervisors(tmp_path: Path) -> None:
    app = write_files(tmp_path / "app", {"score.py": ECHO})
    # As the process target does: a lock that says whether the server lives, inherited by it.
    with (tmp_path / "claim").open("w") as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)
        server = ScoringServer(app, pass_fds=(claim.fileno(),))
    try:
        server.wait_until_ready()
        names = [str(link.readlink()) for link in Path(f"/proc/{server.worker}/fd").iterdir()]
    finally:
        server.kill()
    assert not [name for name in names if name.endswith(("claim", "/lock"))]
    assert [name for name in names if name.startswith("socket:")]


def test_a_crash_loop_ends_the_server(serve: Serve) -> None:
    # The first worker comes up; every later one fails.
    script = "import pathlib\ndef init(): pathlib.Path('started').touch(exist_ok=False)\ndef run(d): pass\n"
    server = serve({"score.py": script})
    os.kill(server.worker, signal.SIGKILL)
    assert server.wait() == contract.EXIT_CRASH_LOOP
    assert "The worker died 5 times in a row" in server.status["reason"]
    assert "FileExistsError" in server.status["reason"]


def test_crashes_with_scores_in_between_are_no_loop(serve: Serve) -> None:
    server = serve({"score.py": "import os\ndef init(): pass\ndef run(d): return d if d else os._exit(9)\n"})
    for number in range(6):
        assert server.score(f"{number}").json == f"{number}"
        with pytest.raises(OSError, match=r"closed|reset"):
            server.score("")
        server.wait_until_ready(number + 2)
    assert server.status["restarts"] == 6
    assert server.status["worker_exit_code"] == 9
    assert server.status["phase"] == "ready"


SLEEPS = "import time\ndef init(): pass\ndef run(d): time.sleep(60) if d == 'stuck' else None; return d\n"
# A function of the C library called with the interpreter's lock held, as a badly written extension does.
HOLDS_THE_LOCK = SLEEPS.replace("import time", "import ctypes, time\ntime.sleep = ctypes.PyDLL(None).sleep")


def test_a_run_beyond_its_deadline_is_answered_504_and_its_worker_replaced(serve: Serve) -> None:
    server = serve({"score.py": SLEEPS}, SCORING_TIMEOUT_MS="200")
    before = server.worker
    answer = server.score("stuck", x_request_id="the-stuck-one")
    assert answer.status == 504
    assert answer.json == {"message": "The score script did not answer within 200 ms."}
    assert answer.headers["x-request-id"] == "the-stuck-one"
    assert server.score("next").json == "next"
    assert gone(before)
    assert server.status["restarts"] == 1
    server.log.wait_for("did not end within 200 ms.*the-stuck-one")
    server.log.wait_for(r"score\.py\", line 3, in run")
    assert "estiva_server/" not in server.log.text


def test_a_run_that_lets_nothing_else_run_is_killed(serve: Serve) -> None:
    server = serve({"score.py": HOLDS_THE_LOCK}, SCORING_TIMEOUT_MS="200")
    with pytest.raises(OSError, match=r"closed|reset"):
        server.score("stuck")
    server.log.wait_for("run\\(\\) exceeded its deadline and lets nothing else run")
    assert server.score("next").json == "next"
    assert server.status["restarts"] == 1


def test_other_requests_of_a_stuck_worker_finish_and_waiting_ones_are_sent_away(serve: Serve) -> None:
    blocked = Blocked(serve, SCORING_TIMEOUT_MS="1500", ESTIVA_CONCURRENCY="1")
    with ThreadPoolExecutor() as pool:
        stuck: Future[Answer] = pool.submit(blocked.server.score, "stuck")
        blocked.server.log.wait_for("began stuck")
        waiting = pool.submit(blocked.server.score, "waiting")
        assert stuck.result().status == 504
        answer = waiting.result()
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"


def test_no_deadline_when_it_is_zero(serve: Serve) -> None:
    assert serve({"score.py": ECHO}, SCORING_TIMEOUT_MS="0").score("1").json == 1


def test_health_is_answered_while_all_slots_are_busy_and_others_wait(serve: Serve) -> None:
    blocked = Blocked(serve)
    with ThreadPoolExecutor() as pool:
        results = [pool.submit(blocked.server.score, number) for number in "123"]
        blocked.server.log.wait_for("began")
        assert blocked.server.ask("GET", "/").body == b"Healthy"
        for number in range(3):
            blocked.server.log.wait_for("began", number + 1)
            blocked.release()
        assert {result.result().status for result in results} == {200}


def test_as_many_run_at_a_time_as_the_concurrency_says(serve: Serve) -> None:
    meet = "import threading\nmeeting = threading.Barrier(2, timeout=10)\ndef init(): pass\n"
    server = serve({"score.py": meet + "def run(d): return meeting.wait()"}, ESTIVA_CONCURRENCY="2")
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: server.score(""), range(2)))
    assert sorted(answer.json for answer in answers) == [0, 1]


def test_a_unix_socket_appears_for_its_owner_and_goes(serve: Serve, tmp_path: Path) -> None:
    path = Path(os.path.relpath(tmp_path / "s", tmp_path / "app0"))
    server = serve({"score.py": ECHO}, "--unix-socket", str(path))
    place = tmp_path / "s"
    assert place.stat().st_mode & 0o777 == 0o600
    server.stop()
    assert not place.exists()


def test_it_leads_a_session_of_its_own(serve: Serve) -> None:
    server: ScoringServer = serve({"score.py": ECHO})
    assert os.getsid(server.process.pid) == server.process.pid


def test_a_script_that_prints_without_end_is_still_supervised(serve: Serve) -> None:
    script = (
        "import threading\n"
        "def chatter():\n"
        "    while True: print('x' * 1000)\n"
        "def init(): threading.Thread(target=chatter, daemon=True).start()\n"
        "def run(data): return 1\n"
    )
    server = serve({"score.py": script})
    assert server.score("").json == 1
    assert server.stop() == contract.EXIT_OK
