"""A debugger that attaches to a worker, and what the server does meanwhile."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.dap import DebugClient
from tests.server.conftest import Serve
from tests.server.serving import SECONDS

RUN = """\
import json

def init(): ...

def run(data):
    numbers = json.loads(data)
    total = sum(numbers)
    return {"total": total, "by": 1}
"""
LINE = 8  # of the return

ENABLE = {
    "ptvsd": """\
import ptvsd; ptvsd.enable_attach(address=("127.0.0.1", {port}), redirect_output=True)
""",
    "debugpy": """\
import debugpy; debugpy.listen(("127.0.0.1", {port}))
""",
}


@pytest.fixture
def port() -> int:
    """One that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.mark.parametrize("name", ENABLE)
def test_a_script_with_a_debugger_of_its_own(
    serve: Serve, port: int, pool: ThreadPoolExecutor, name: str
) -> None:
    script = ENABLE[name].format(port=port) + RUN
    server = serve({"score.py": script}, SCORING_TIMEOUT_MS="300")

    with DebugClient(port, {server.folder / "score.py": LINE + 1}) as debugger:
        asked = pool.submit(server.score, "[1, 2, 3]")
        frame = debugger.stopped()
        assert (frame["name"], frame["line"]) == ("run", LINE + 1)
        assert debugger.variables() == {"data": "'[1, 2, 3]'", "numbers": "[1, 2, 3]", "total": "6"}
        assert debugger.evaluate("total * 7") == "42"
        time.sleep(0.8)  # longer than the deadline, which must not count
        debugger.go_on()
        assert asked.result(SECONDS).json == {"total": 6, "by": 1}
    assert server.status["restarts"] == 0


def test_waiting_for_attach_has_an_end(serve: Serve, port: int) -> None:
    script = ENABLE["ptvsd"].format(port=port) + "ptvsd.wait_for_attach(timeout=0.2)\n" + RUN
    assert serve({"score.py": script}).score("[4]").json == {"total": 4, "by": 1}


def test_a_reload_gives_the_port_to_the_next_worker(
    serve: Serve, port: int, pool: ThreadPoolExecutor
) -> None:
    server = serve({"score.py": RUN}, AZUREML_DEBUG_PORT=str(port))
    script = server.folder / "score.py"
    with DebugClient(port, {script: LINE}) as debugger:
        held = pool.submit(server.score, "[1]")
        debugger.stopped()
        script.write_text(RUN.replace('"by": 1', '"by": 2'))
        server.send(signal.SIGHUP)
        debugger.event("terminated")  # upon which editors leave, and the port is free
    server.wait_until_ready(2)
    assert held.exception(SECONDS) is not None  # its worker was held for good, and is gone
    with DebugClient(port, {script: LINE}) as debugger:
        asked = pool.submit(server.score, "[1]")
        assert debugger.stopped()["line"] == LINE
        debugger.go_on()
        assert asked.result(SECONDS).json == {"total": 1, "by": 2}


def test_a_reload_that_fails_waits_for_the_next(serve: Serve, port: int) -> None:
    server = serve({"score.py": RUN}, AZUREML_DEBUG_PORT=str(port))
    script = server.folder / "score.py"
    script.write_text("def init(\n")
    server.send(signal.SIGHUP)
    server.log.wait_for("the reload failed: edit the script, then reload it again")

    script.write_text(RUN.replace('"by": 1', '"by": 2'))
    server.send(signal.SIGHUP)
    server.wait_until_ready(2)
    assert server.score("[5]").json == {"total": 5, "by": 2}


def test_init_can_be_debugged_when_the_server_waits(serve: Serve, port: int) -> None:
    script = "def init():\n    where = 'init'\n    print(where)\n\ndef run(data): ...\n"
    server = serve.start(
        {"score.py": script}, AZUREML_DEBUG_PORT=str(port), ESTIVA_DEBUG_WAIT="true", WORKER_COUNT="3"
    )
    server.log.wait_for(f"waiting for a debugger at 127.0.0.1:{port}")
    assert "init" not in server.log.text.replace("estiva-server", "")
    with DebugClient(port, {server.folder / "score.py": 3}) as debugger:
        assert debugger.stopped()["name"] == "init"
        assert debugger.variables() == {"where": "'init'"}
        debugger.go_on()
    server.wait_until_ready()
    server.workers(1)


def test_without_debugpy_the_server_says_what_to_install(serve: Serve, port: int, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "debugpy.py").write_text("raise ImportError")
    server = serve.start({"score.py": RUN}, AZUREML_DEBUG_PORT=str(port), PYTHONPATH=str(tmp_path / "none"))
    assert server.process.wait(SECONDS) == 3
    server.log.wait_for("debugpy is not installed. Add debugpy to the environment's pip packages")
