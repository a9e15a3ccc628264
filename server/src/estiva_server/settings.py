"""What the server is told: by flags, else by the variables that scripts and images use, else by defaults."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from estiva_server import __version__, contract
from estiva_server.configuration import (
    Configuration,
    ConfigurationError,
    read_configuration,
    without_effect,
)

DESCRIPTION = """\
Serves a score script over HTTP: init() once, then run(data) for each POST /score.
GET / answers when the script is ready; GET /swagger.json describes the interface."""

EXAMPLES = """\
examples:
  python -m estiva_server                                   score.py in this folder, on port 5001
  python -m estiva_server --entry-script score.py --port 8080
  python -m estiva_server --entry-script src/score.py --source-root src --model-dir models/churn
  curl -d '{"data": [[1, 2]]}' http://127.0.0.1:5001/score

signals:
  SIGHUP    start the edited script beside the running one, and change over when it is ready
  SIGTERM   finish the requests that run, then end

exit status:
  0 ended as asked   2 wrong usage   3 the script could not be loaded or init() failed
  4 the worker died again and again   5 already running here   6 address in use"""


_MOST_SECONDS = 1e6


class SettingsError(Exception):
    """A flag or variable that cannot be; the message is for the user."""


@dataclass(frozen=True)
class Settings:
    """Everything that one server is."""

    app_root: Path
    """Absolute; the working directory of the script."""
    entry_script: str = "score.py"
    """Relative to the app root."""
    source_root: str | None = None
    """The source directory, relative to the app root."""
    model_dir: str = contract.MODELS_FOLDER
    """Value of AZUREML_MODEL_DIR: relative to the app root."""
    host: str = "127.0.0.1"
    port: int = contract.PORT
    unix_socket: Path | None = None
    """Listen here instead of on host and port."""
    run_dir: Path | None = None
    """Where the lock and the status file go; None: neither is kept."""
    log_dir: Path | None = None
    """Where the log goes; None: to standard output."""
    scoring_timeout_ms: int = contract.SCORING_TIMEOUT_MS
    """0: no deadline."""
    init_timeout: float = 0.0
    """Seconds that whoever started the server waits for init(); shortly before, the log says where it is."""
    concurrency: int = 1
    """Calls of run() at a time in one worker."""
    workers: int = 1
    preload: bool = False
    """init() once, in a process that forks the workers."""
    batch_max_size: int = 0
    """Requests handed to one run(); 0: as the script says."""
    batch_max_wait_ms: int | None = None
    """How long a request may wait for others; None: as the script says."""
    body_limit: int = contract.BODY_LIMIT_BYTES
    """Bytes."""
    debug: bool = False
    """Tracebacks in the answers."""
    debug_port: int = 0
    """Where a debugger can attach; 0: nowhere."""
    debug_wait: bool = False
    """Load the script only when one has."""
    debugpy: Path | None = None
    """A folder that has debugpy; None: the environment's own."""
    service_name: str = "ML service"
    service_version: str = "1.0"
    service_path_prefix: str = ""
    """Before the paths in the service's description."""
    cors_origins: tuple[str, ...] = ()
    """Sites whose pages may read the answers."""
    tells_version: bool = True
    """Every answer says which server gave it."""
    log_level: str = ""
    notices: tuple[str, ...] = ()
    """Sentences to say when the server starts."""

    @property
    def address(self) -> str:
        if self.unix_socket is not None:
            return f"unix:{self.unix_socket}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def read_settings(arguments: Sequence[str], variables: Mapping[str, str], cwd: Path) -> Settings:
    """Raises SettingsError, or SystemExit for what argparse itself refuses or answers (--help)."""
    flags = _parser().parse_args(arguments)
    configuration = _configuration(flags, variables, cwd)
    environment = {**configuration.values, **variables}
    script = flags.entry_script or environment.get(contract.ENTRY_SCRIPT_VARIABLE) or "score.py"
    app_root = _app_root(flags.app_root or environment.get(contract.APP_ROOT_VARIABLE), script, cwd)
    source_root = flags.source_root or environment.get(contract.SOURCE_DIRECTORY_VARIABLE) or None
    model_dir = flags.model_dir or environment.get(contract.MODEL_DIR_VARIABLE) or find_model_dir(app_root)
    origins = environment.get(contract.CORS_ORIGINS_VARIABLE, "").split(",")
    debug_port = _number(environment, contract.DEBUG_PORT_VARIABLE, 0, 0)
    debugpy = environment.get(contract.DEBUGPY_VARIABLE)
    return Settings(
        app_root=app_root,
        entry_script=script,
        source_root=source_root,
        model_dir=model_dir,
        host=flags.host,
        port=flags.port,
        unix_socket=flags.unix_socket,
        run_dir=flags.run_dir,
        log_dir=flags.log_dir,
        scoring_timeout_ms=_number(
            environment, contract.SCORING_TIMEOUT_VARIABLE, contract.SCORING_TIMEOUT_MS, 0
        ),
        init_timeout=_seconds(environment, contract.INIT_TIMEOUT_VARIABLE),
        concurrency=_number(environment, contract.CONCURRENCY_VARIABLE, 1, 1),
        # A debugger has one port, and so follows one worker.
        workers=1 if debug_port else _number(environment, contract.WORKER_COUNT_VARIABLE, 1, 1),
        preload=not debug_port and _yes(environment, contract.WORKER_PRELOAD_VARIABLE),
        batch_max_size=_number(environment, contract.BATCH_MAX_SIZE_VARIABLE, 0, 0),
        batch_max_wait_ms=_number(environment, contract.BATCH_MAX_WAIT_VARIABLE, None, 0),
        body_limit=_number(environment, contract.BODY_LIMIT_VARIABLE, contract.BODY_LIMIT_BYTES, 1),
        debug=_yes(environment, contract.DEBUG_VARIABLE),
        debug_port=debug_port,
        debug_wait=_yes(environment, contract.DEBUG_WAIT_VARIABLE),
        debugpy=cwd / debugpy if debugpy else None,
        service_name=environment.get(contract.SERVICE_NAME_VARIABLE) or "ML service",
        service_version=environment.get(contract.SERVICE_VERSION_VARIABLE) or "1.0",
        service_path_prefix=environment.get(contract.SERVICE_PATH_PREFIX_VARIABLE, ""),
        cors_origins=tuple(origin.strip() for origin in origins if origin.strip()),
        tells_version=environment.get(contract.SERVER_VERSION_VARIABLE, "true").lower() == "true",
        log_level=environment.get(contract.LOG_LEVEL_VARIABLE, ""),
        notices=(*configuration.notices, *without_effect(environment)),
    )


def _configuration(flags: argparse.Namespace, variables: Mapping[str, str], cwd: Path) -> Configuration:
    asked = flags.config_file or variables.get(contract.CONFIG_FILE_VARIABLE)
    script = flags.entry_script or variables.get(contract.ENTRY_SCRIPT_VARIABLE) or "score.py"
    app_root = _app_root(flags.app_root or variables.get(contract.APP_ROOT_VARIABLE), script, cwd)
    try:
        return read_configuration(cwd / asked if asked else None, [app_root, (app_root / script).parent])
    except ConfigurationError as error:
        raise SettingsError(str(error)) from error


def find_model_dir(app_root: Path) -> str:
    """The only model's version folder, else the folder of all models, else the app root itself."""
    models = app_root / contract.MODELS_FOLDER
    if not models.is_dir():
        return "."
    versions = [path for path in models.glob("*/*") if path.is_dir()]
    return str((versions[0] if len(versions) == 1 else models).relative_to(app_root))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="estiva-server",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--entry-script", metavar="FILE", help="the script with init() and run(data) (score.py)")
    add("--app-root", metavar="DIR", help="working directory of the script (this folder)")
    add("--model-dir", metavar="DIR", help="AZUREML_MODEL_DIR, relative to the app root (found there)")
    add("--source-root", metavar="DIR", help="also import modules from here; relative to the app root")
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=_port, default=contract.PORT, help="port to listen on (%(default)s; 0: any)")
    add("--unix-socket", type=Path, metavar="PATH", help="listen on a Unix socket instead")
    add("--config-file", metavar="FILE", help="JSON that stands in for variables (config.json, if there)")
    add("--run-dir", type=Path, metavar="DIR", help="keep a lock and status.json here")
    add("--log-dir", type=Path, metavar="DIR", help="write replica.log here (standard output)")
    add("--version", action="version", version=f"estiva-server {__version__}")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port: choose one from 1 to 65535")
    return port


def _app_root(given: str | None, script: str, cwd: Path) -> Path:
    image = Path(contract.APP_ROOT)
    root = image if image.is_dir() and not (cwd / script).is_file() else cwd
    if given:
        root = cwd / given
    if not root.is_dir():
        raise SettingsError(f"The app root {root} is not a folder. Create it, or name another: --app-root.")
    return root


def _yes(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").lower() in ("1", "true", "yes")


_Default = TypeVar("_Default", int, int | None)


def _number(environment: Mapping[str, str], name: str, default: _Default, least: int) -> int | _Default:
    text = environment.get(name)
    if not text:
        return default
    if not text.strip().isdecimal() or int(text) < least:
        raise SettingsError(f"{name} is {text!r}, but must be a whole number from {least} on.")
    return int(text)


def _seconds(environment: Mapping[str, str], name: str) -> float:
    """0 unless it is set."""
    text = environment.get(name, "").strip() or "0"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < _MOST_SECONDS:
        raise SettingsError(f"{name} is {text!r}, but must be a number of seconds from 0 on.")
    return seconds
