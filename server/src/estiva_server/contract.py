"""What the scoring server and everything around it agree on: paths, variables, files, exit codes.

Standard library only; the one module of this distribution that `estiva` imports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PORT = 5001
APP_ROOT = "/var/azureml-app"
MODELS_FOLDER = "azureml-models"

SCORE_PATH = "/score"
HEALTH_PATH = "/"
SWAGGER_PATH = "/swagger.json"
METRICS_PATH = "/metrics"
BODY_LIMIT_BYTES = 100 * 1024 * 1024
SCORING_TIMEOUT_MS = 60_000

# Variables that the server reads. The AZUREML_ and AML_ names are what existing scripts and images use.
APP_ROOT_VARIABLE = "AML_APP_ROOT"
ENTRY_SCRIPT_VARIABLE = "AZUREML_ENTRY_SCRIPT"
SOURCE_DIRECTORY_VARIABLE = "AZUREML_SOURCE_DIRECTORY"
MODEL_DIR_VARIABLE = "AZUREML_MODEL_DIR"
SCORING_TIMEOUT_VARIABLE = "SCORING_TIMEOUT_MS"
BODY_LIMIT_VARIABLE = "ESTIVA_BODY_LIMIT_BYTES"
CONCURRENCY_VARIABLE = "ESTIVA_CONCURRENCY"
BATCH_MAX_SIZE_VARIABLE = "ESTIVA_BATCH_MAX_SIZE"
BATCH_MAX_WAIT_VARIABLE = "ESTIVA_BATCH_MAX_WAIT_MS"
WORKER_COUNT_VARIABLE = "WORKER_COUNT"
WORKER_PRELOAD_VARIABLE = "WORKER_PRELOAD"
DEBUG_VARIABLE = "ESTIVA_DEBUG"
DEBUG_PORT_VARIABLE = "AZUREML_DEBUG_PORT"
DEBUG_WAIT_VARIABLE = "ESTIVA_DEBUG_WAIT"
DEBUGPY_VARIABLE = "ESTIVA_DEBUGPY"
INIT_TIMEOUT_VARIABLE = "ESTIVA_INIT_TIMEOUT_SECONDS"
SERVICE_NAME_VARIABLE = "SERVICE_NAME"
SERVICE_VERSION_VARIABLE = "SERVICE_VERSION"
SERVICE_PATH_PREFIX_VARIABLE = "SERVICE_PATH_PREFIX"
CORS_ORIGINS_VARIABLE = "AML_CORS_ORIGINS"
SERVER_VERSION_VARIABLE = "SERVER_VERSION_LOG_RESPONSE_ENABLED"
LOG_LEVEL_VARIABLE = "AZUREML_LOG_LEVEL"
CONFIG_FILE_VARIABLE = "AZUREML_CONFIG_FILE"
SECRETS_FILE_VARIABLE = "ESTIVA_SECRETS_FILE"
"""A JSON file with more variables. The server reads it once and removes it, so that no disk keeps them."""
COLLECTION_VARIABLE = "AML_MODEL_DC_STORAGE_ENABLED"
COLLECTED_VARIABLE = "ESTIVA_COLLECTED"
"""The folder that collected data go to; not set where none are to be collected."""

# The entry scripts that the server itself has, by the framework whose models need no other.
NO_CODE_SCRIPTS = {
    "ScikitLearn": "estiva_server.nocode.scikit_learn",
    "Onnx": "estiva_server.nocode.onnx",
    "XGBoost": "estiva_server.nocode.xgboost",
    "LightGBM": "estiva_server.nocode.lightgbm",
    "MLflow": "estiva_server.nocode.mlflow",
}

# Response headers.
REQUEST_ID_HEADER = "x-request-id"
RUN_FAILED_HEADER = "x-ms-run-function-failed"
RUN_DURATION_HEADER = "x-ms-run-fn-exec-ms"
SERVER_VERSION_HEADER = "x-ms-server-version"

# Exit codes of the server; 3 is what the official server ends with when init() fails.
EXIT_OK = 0
EXIT_USAGE = 2
EXIT_INIT_FAILED = 3
EXIT_CRASH_LOOP = 4
EXIT_ALREADY_RUNNING = 5
EXIT_ADDRESS_IN_USE = 6

# Files in a supervisor's run directory (`--run-dir`).
LOCK_FILE = "lock"
STATUS_FILE = "status.json"
LOG_FILE = "replica.log"

# What a log says when the server has a debugger's port open and waits for one before it loads the script.
WAITS_FOR_DEBUGGER = "waiting for a debugger"

Phase = Literal["starting", "ready", "draining", "exited"]


@dataclass(frozen=True)
class Status:
    """What a supervisor says of its replica, as JSON in STATUS_FILE, replaced atomically at each change.

    The supervisor holds an exclusive flock on LOCK_FILE for as long as it lives, so whether `pid` still
    is that supervisor is a question to the lock, never to the process table. A status that says "starting"
    or "ready" while nobody holds the lock means that the supervisor was killed.
    """

    pid: int
    """Process id of the supervisor, leader of its own session and process group."""
    started: float
    """When the supervisor started: seconds since the epoch."""
    phase: Phase
    """"starting" until init() returned in every worker; "exited" is the last word."""
    worker_pids: tuple[int, ...] = ()
    capacity: int = 0
    """Requests that the replica takes at a time: in all workers, and batches with all that they hold.

    0 until it was ready. A gateway that lets fewer through keeps workers idle and batches small.
    """
    restarts: int = 0
    """Workers that died and were replaced since the start."""
    exit_code: int | None = None
    """Exit status of the supervisor, set when phase is "exited"."""
    worker_exit_code: int | None = None
    """Exit status of the worker that died last, if one did and was not asked to."""
    worker_signal: int | None = None
    """Signal that killed the worker that died last."""
    reason: str = ""
    """One sentence for people."""
