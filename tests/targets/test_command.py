from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from estiva.records import Debugger, Launch, ServiceKey, ServiceSettings
from estiva.targets._command import command, variables

LAUNCH = Launch(
    key=ServiceKey(workspace="wayne", service="diabetes"),
    generation=3,
    replicas=1,
    python="/envs/abc/bin/python",
    mounts=(),
    entry_script="source/score.py",
    source_root="source",
    model_dir="azureml-models/diabetes/1",
    variables={"COLOUR": "blue", "AZUREML_MODEL_DIR": "elsewhere"},
    secrets={"TOKEN": SecretStr("hunter2")},
    settings=ServiceSettings(scoring_timeout_ms=1500, replica_max_concurrent_requests=4, body_limit=1000),
)
APP = Path("/r/app")


def test_the_command_line_for_a_private_socket() -> None:
    line = command(LAUNCH, APP, Path("/r/run"), Path("/r/logs"), "unix:/run/r-1.sock")
    assert " ".join(line) == (
        "/envs/abc/bin/python -m estiva_server --entry-script source/score.py --app-root /r/app "
        "--model-dir azureml-models/diabetes/1 --source-root source --unix-socket /run/r-1.sock "
        "--run-dir /r/run --log-dir /r/logs"
    )


def test_the_command_line_for_a_port_and_a_single_script() -> None:
    launch = LAUNCH.model_copy(update={"entry_script": "score.py", "source_root": None})
    line = command(launch, APP, Path("/r/run"), Path("/r/logs"), "127.0.0.1:8890")
    assert " ".join(line) == (
        "/envs/abc/bin/python -m estiva_server --entry-script score.py --app-root /r/app "
        "--model-dir azureml-models/diabetes/1 --host 127.0.0.1 --port 8890 "
        "--run-dir /r/run --log-dir /r/logs"
    )


def test_the_environment_is_clean_and_the_contract_wins() -> None:
    inherited = {
        "PATH": "/usr/bin",
        "HOME": "/home/ana",
        "LC_ALL": "C.UTF-8",
        "https_proxy": "http://proxy:3128",
        "CUDA_VISIBLE_DEVICES": "0",
        "PYTHONPATH": "/stray",
        "VIRTUAL_ENV": "/stray",
        "ESTIVA_HOME": "/stray",
        "AWS_SECRET_ACCESS_KEY": "stray",
    }
    assert variables(LAUNCH, APP, inherited) == {
        "PATH": "/envs/abc/bin:/usr/bin",
        "HOME": "/home/ana",
        "LC_ALL": "C.UTF-8",
        "https_proxy": "http://proxy:3128",
        "CUDA_VISIBLE_DEVICES": "0",
        "COLOUR": "blue",
        "TOKEN": "hunter2",
        "AML_APP_ROOT": "/r/app",
        "AZUREML_MODEL_DIR": "azureml-models/diabetes/1",
        "AZUREML_ENTRY_SCRIPT": "source/score.py",
        "AZUREML_SOURCE_DIRECTORY": "source",
        "SERVICE_NAME": "diabetes",
        "SCORING_TIMEOUT_MS": "1500",
        "ESTIVA_INIT_TIMEOUT_SECONDS": "600",
        "ESTIVA_CONCURRENCY": "4",
        "ESTIVA_BODY_LIMIT_BYTES": "1000",
    }


def test_debug_mode_is_said_only_when_it_is_on() -> None:
    launch = LAUNCH.model_copy(update={"settings": ServiceSettings(debug=True)})
    assert variables(launch, APP, {})["ESTIVA_DEBUG"] == "true"


def test_a_debugger_is_said_with_where_debugpy_is() -> None:
    settings = ServiceSettings(debugger=Debugger(port=5678, wait=True))
    launch = LAUNCH.model_copy(update={"settings": settings, "debugpy": "/envs/abc/debugger"})
    found = variables(launch, APP, {})
    assert {name: value for name, value in found.items() if "DEBUG" in name} == {
        "AZUREML_DEBUG_PORT": "5678",
        "ESTIVA_DEBUG_WAIT": "true",
        "ESTIVA_DEBUGPY": "/envs/abc/debugger",
    }


@pytest.mark.parametrize(
    ("workers", "each"), [("1", "4"), ("2", "2"), ("3", "2"), ("8", "1"), ("0", "4"), ("two", "4")]
)
def test_the_workers_of_a_replica_share_its_concurrency(workers: str, each: str) -> None:
    launch = LAUNCH.model_copy(update={"variables": {"WORKER_COUNT": workers}})
    assert variables(launch, Path("/app"), {})["ESTIVA_CONCURRENCY"] == each
