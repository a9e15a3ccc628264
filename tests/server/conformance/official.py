"""The official server, azureml-inference-server-http, in a virtual environment of its own."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

import platformdirs
from filelock import FileLock

from tests.server.serving import SECONDS, Log

RELEASE = "1.5.1"
START_SECONDS = 90.0
"""It takes two on an idle machine."""

# Of the same versions as here, so that what differs is the servers' doing.
_SHARED = ("inference-schema", "numpy", "pandas", "werkzeug")


class NotInstalledError(Exception):
    """The official server could not be installed here; the message says why."""


@cache
def environment() -> Path:
    """The environment's interpreter. Made once and kept in the cache. Raises NotInstalledError."""
    packages = [f"azureml-inference-server-http=={RELEASE}", *(f"{one}=={version(one)}" for one in _SHARED)]
    key = hashlib.sha256("\0".join([sys.version, sys.prefix, *packages]).encode()).hexdigest()[:16]
    cache_folder = os.environ.get("ESTIVA_CACHE") or platformdirs.user_cache_dir("estiva")
    folder = Path(cache_folder) / f"official-server-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        complete = folder / "complete"
        if not complete.exists():
            _uv("venv", "--clear", "--python", sys.executable, str(folder))
            _uv("pip", "install", "--python", str(folder / "bin/python"), *packages)
            complete.touch()
    return folder / "bin/python"


def _uv(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotInstalledError(f"uv {arguments[0]} failed: {done.stderr.strip()}")


def _version(variables: Mapping[str, str]) -> Mapping[str, str]:
    """What the server says of itself, unless it is told not to; its command decides."""
    said = variables.get("SERVER_VERSION_LOG_RESPONSE_ENABLED", "true") == "true"
    return {"HTTP_X_MS_SERVER_VERSION": f"azmlinfsrv/{RELEASE}"} if said else {}


class OfficialServer:
    """As its command starts it, but on the loopback address alone: gunicorn with its application."""

    def __init__(self, folder: Path, entry_script: str, variables: Mapping[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
            self.process = subprocess.Popen(
                [
                    *(environment(), "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"),
                    *("--graceful-timeout", "1", "azureml_inference_server_http.server.entry:app"),
                ],
                cwd=folder,
                env={
                    **os.environ,
                    "AML_APP_ROOT": str(folder),
                    "AZUREML_ENTRY_SCRIPT": entry_script,
                    **variables,
                    **_version(variables),
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                pass_fds=[listener.fileno()],
            )
        assert self.process.stdout is not None
        self.log = Log(self.process.stdout)

    def wait_until_ready(self) -> None:
        self.log.wait_for("ready for serving traffic", seconds=START_SECONDS)

    def wait(self) -> int:
        """Until it ends; returns its exit status."""
        code = self.process.wait(SECONDS)
        self.log.close()
        return code

    def stop(self) -> None:
        """Idempotent."""
        self.process.terminate()
        self.wait()
