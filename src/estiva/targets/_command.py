"""What a replica's process is started with: its command line and its environment. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from estiva.records import Launch
from estiva.specification import serving
from estiva_server import contract

# What a replica inherits. Everything else stays out: the control server's own Python, and whatever secrets
# the shell had that happened to start it.
_INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_.*|TMPDIR|TZ|LD_LIBRARY_PATH"
    r"|(HTTP|HTTPS|ALL|NO|FTP)_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|(CUDA|NVIDIA|ROCR|HIP|OMP|MKL|OPENBLAS|NUMEXPR|VECLIB|KMP)_.*",
    re.IGNORECASE,
)


def command(launch: Launch, app_root: Path, run: Path, logs: Path, address: str) -> list[str]:
    """The command line; `address` is "unix:/path" or "host:port". No secret is ever in it."""
    line = [launch.python, "-m", "estiva_server"]
    line += [
        "--entry-script",
        launch.entry_script,
        "--app-root",
        str(app_root),
        "--model-dir",
        launch.model_dir,
    ]
    if launch.source_root is not None:
        line += ["--source-root", launch.source_root]
    if address.startswith("unix:"):
        line += ["--unix-socket", address.removeprefix("unix:")]
    else:
        host, _, port = address.rpartition(":")
        line += ["--host", host, "--port", port]
    return [*line, "--run-dir", str(run), "--log-dir", str(logs)]


def variables(launch: Launch, app_root: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment: a clean base, the user's variables and secrets, then the contract's, which win."""
    base = {name: value for name, value in inherited.items() if _INHERITED.fullmatch(name)}
    # As in an activated environment: a program that the script starts by name is found there first.
    base["PATH"] = ":".join(filter(None, [str(Path(launch.python).parent), base.get("PATH", "")]))
    secrets = {name: secret.get_secret_value() for name, secret in launch.secrets.items()}
    return {**base, **launch.variables, **secrets, **contract_variables(launch, str(app_root))}


def contract_variables(launch: Launch, app_root: str) -> dict[str, str]:
    """What the server reads of what it is to serve, and how."""
    values = {
        contract.APP_ROOT_VARIABLE: app_root,
        contract.MODEL_DIR_VARIABLE: launch.model_dir,
        contract.ENTRY_SCRIPT_VARIABLE: launch.entry_script,
        **serving.variables(launch.key.service, launch.settings, launch.variables),
    }
    if launch.source_root is not None:
        values[contract.SOURCE_DIRECTORY_VARIABLE] = launch.source_root
    return values | _debugger(launch)


def _debugger(launch: Launch) -> dict[str, str]:
    debugger = launch.settings.debugger
    if debugger is None:
        return {}
    values = {
        contract.DEBUG_PORT_VARIABLE: str(debugger.port),
        contract.DEBUG_WAIT_VARIABLE: str(debugger.wait).lower(),
    }
    return values | ({contract.DEBUGPY_VARIABLE: launch.debugpy} if launch.debugpy else {})
