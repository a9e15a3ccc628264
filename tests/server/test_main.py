"""`python -m estiva_server` as a command."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from estiva_server import contract
from tests.server.conftest import Serve
from tests.server.serving import SECONDS

SCRIPT = "def init(): pass\ndef run(data): return 1\n"


def run(
    *arguments: str, cwd: Path, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "estiva_server", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False, env=variables
    )


def test_the_supervisor_stays_small(tmp_path: Path) -> None:
    """It must be able to fork: no threads, nothing of granian or the user's in it."""
    code = "import sys, estiva_server.__main__; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    modules = set(found.stdout.split())
    assert not modules & {"granian", "asyncio", "logging", "threading", "ctypes", "multiprocessing"}


def test_wrong_usage(tmp_path: Path) -> None:
    ended = run("--app-root", "nowhere", cwd=tmp_path)
    assert ended.returncode == contract.EXIT_USAGE
    assert ended.stderr.startswith("estiva-server: The app root")


def test_secrets_come_in_a_file_that_goes_at_once(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text('{"TOKEN": "s3cret"}')
    script = "import os\ndef init(): pass\ndef run(data): return os.environ['TOKEN']\n"
    assert serve({"score.py": script}, ESTIVA_SECRETS_FILE=str(file)).score("").json == "s3cret"
    assert not file.exists()


def test_secrets_that_were_not_handed_over(tmp_path: Path) -> None:
    variables = {**os.environ, contract.SECRETS_FILE_VARIABLE: str(tmp_path / "secrets.json")}
    ended = run(cwd=tmp_path, variables=variables)
    assert ended.returncode == contract.EXIT_USAGE
    assert ended.stderr.startswith("estiva-server: The secrets were not handed over")


def test_an_address_in_use_is_said_everywhere(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run("--port", port, "--run-dir", "run", "--log-dir", "logs", cwd=tmp_path)
    assert ended.returncode == contract.EXIT_ADDRESS_IN_USE
    sentence = f"Port {port} on 127.0.0.1 is in use by another program."
    assert sentence in ended.stderr
    assert sentence in (tmp_path / "logs" / "replica.log").read_text()
    assert sentence in (tmp_path / "run" / "status.json").read_text()


def test_no_script_in_the_folder(tmp_path: Path) -> None:
    ended = run("--port", "0", cwd=tmp_path)
    assert ended.returncode == contract.EXIT_INIT_FAILED
    assert f"There is no entry script score.py in {tmp_path}. Name it with --entry-script." in ended.stdout


def test_modules_of_the_user_that_are_named_as_the_librarys(serve: Serve) -> None:
    shadow = "raise ImportError('not the library')"
    files = {"score.py": SCRIPT, "json.py": shadow, "selectors.py": shadow, "logging.py": shadow}
    assert serve(files).score("").json == 1


def test_version(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).stdout.startswith("estiva-server 0.")
