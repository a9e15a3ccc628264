"""`estiva debug`: an editor attaches to a service, with what the command has told it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from estiva import InferenceConfig, LocalWebservice, Model, Workspace
from estiva.cli import app
from estiva.errors import UserErrorException, WebserviceException
from tests.dap import DebugClient
from tests.e2e.conftest import wait_until

SECONDS = 60.0
SCRIPT = """\
import json

def init():
    global factor
    factor = 2

def run(data):
    numbers = json.loads(data)
    numbers[0] *= factor
    return numbers
"""
RETURN, INIT = 10, 5


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one that the editor has open."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "score.py").write_text(SCRIPT)
    return tmp_path


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--output", "json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def entry(folder: Path) -> dict[str, Any]:
    """The only one, as the editor reads it."""
    text = (folder / ".vscode" / "launch.json").read_text().replace("${workspaceFolder}", str(folder))
    found: dict[str, Any] = json.loads(text)["configurations"][0]
    return found


def attach(entry: dict[str, Any], script: Path, line: int) -> DebugClient:
    return DebugClient(entry["connect"]["port"], {script: line}, entry["pathMappings"])


def test_a_breakpoint_holds_a_request_as_long_as_somebody_looks(
    folder: Path, shared_workspace: Workspace, pool: ThreadPoolExecutor
) -> None:
    configuration = LocalWebservice.deploy_configuration(scoring_timeout_ms=300)
    service = Model.deploy(shared_workspace, "held", [], InferenceConfig("score.py"), configuration)
    service.wait_for_deployment()
    debug = ["debug", "held", "--workspace", shared_workspace.name]

    told = command(*debug, "--port", str(free_port()))

    first = entry(folder)
    assert told == {
        "debugger": f"127.0.0.1:{first['connect']['port']}",
        "launch_json": ".vscode/launch.json",
        "scoring_uri": service.scoring_uri,
    }
    assert (first["name"], first["type"], first["request"]) == ("Estiva: held", "debugpy", "attach")
    service.update_deployment_state()
    with attach(first, folder / "score.py", RETURN) as debugger:
        asked = pool.submit(service.run, "[21]")
        frame = debugger.stopped()
        assert (frame["line"], frame["source"]["path"]) == (RETURN, str(folder / "score.py"))
        assert debugger.variables() == {"data": "'[21]'", "numbers": "[42]"}
        assert debugger.evaluate("factor * 100") == "200"
        time.sleep(1.0)  # for longer than the deadline, which the service has without a debugger
        debugger.go_on()
        assert asked.result(SECONDS) == [42]

    (folder / "score.py").write_text(SCRIPT.replace("factor = 2", "factor = 3"))
    assert command(*debug) == told
    assert entry(folder) == first
    with attach(first, folder / "score.py", RETURN) as debugger:
        asked = pool.submit(service.run, "[1]")
        assert debugger.stopped()["line"] == RETURN
        debugger.go_on()
        assert asked.result(SECONDS) == [3]

    command(*debug, "--stop")
    service.update_deployment_state()
    assert service.debugger is None
    assert service.run("[1]") == [3]
    # The replica that had it ends after the change.
    wait_until(lambda: not listens(first["connect"]["port"]), SECONDS, "the debugger's port is closed")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_init_in_a_source_directory_can_be_debugged(
    folder: Path, shared_workspace: Workspace, pool: ThreadPoolExecutor
) -> None:
    (folder / "source").mkdir()
    script = (folder / "score.py").rename(folder / "source" / "score.py")
    service = Model.deploy(
        shared_workspace, "waiting", [], InferenceConfig("score.py", source_directory="source")
    )
    service.wait_for_deployment()

    service.debug(free_port(), wait=True)

    assert service.state == "deploying"
    with attach(entry(folder), script, INIT) as debugger:
        frame = debugger.stopped()
        assert (frame["name"], frame["source"]["path"]) == ("init", str(script))
        # The generation before serves; run() of the SDK would wait for the new one.
        assert httpx.post(str(service.scoring_uri), content="[1]", timeout=SECONDS).json() == [2]
        debugger.go_on()
    service.wait_for_deployment()
    service.stop_debugging()
    assert service.run("[1]") == [2]


def test_what_cannot_be_debugged_is_said(folder: Path, shared_workspace: Workspace) -> None:
    service = Model.deploy(shared_workspace, "refused", [], InferenceConfig("score.py"))
    service.wait_for_deployment()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WebserviceException, match=f"Port {port} on 127.0.0.1 is in use by ") as caught:
            service.debug(port)
        assert caught.value.code == "PortInUse"
    assert service.generation == 1

    (folder / ".vscode").mkdir()
    (folder / ".vscode" / "launch.json").write_text("oops")
    port = free_port()
    with pytest.raises(
        UserErrorException, match=f"attach by hand: host 127.0.0.1, port {port}, path mapping"
    ):
        service.debug(port)
    assert (folder / ".vscode" / "launch.json").read_text() == "oops"

    assert service.debug(launch_json=None) == f"127.0.0.1:{port}"
    (folder / "score.py").write_text("def init(): raise ValueError('no factor')\n\ndef run(data): ...\n")
    with pytest.raises(WebserviceException, match="no factor"):
        service.debug(launch_json=None)
