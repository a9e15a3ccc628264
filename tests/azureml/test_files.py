from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from estiva.azureml import files
from estiva.azureml.aks_endpoint import AksEndpointDeploymentConfiguration
from estiva.azureml.environment import Environment
from estiva.azureml.workspace import Workspace
from estiva.errors import UserErrorException, WebserviceException
from estiva.sdk.local import LocalWebserviceDeploymentConfiguration


def written(folder: Path, content: Any) -> Path:
    file = folder / "file.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_a_deployment_configuration(tmp_path: Path) -> None:
    content = {
        "computeType": "AKSENDPOINT",
        "autoScaler": {"autoscaleEnabled": True, "minReplicas": 1, "maxReplicas": 3, "targetUtilization": 50},
        "containerResourceRequirements": {"cpu": 0.2, "memoryInGB": 0.4, "cpuLimit": None},
        "livenessProbeRequirements": {"periodSeconds": 5},
        "dataCollection": {"storageEnabled": True},
        "keys": {"primaryKey": "p" * 20},
        "scoringTimeoutMs": 100,
        "versionName": "version-a",
        "trafficPercentile": 30,
    }
    found = files.deployment_config(written(tmp_path, content))
    assert isinstance(found, AksEndpointDeploymentConfiguration)
    assert (found.autoscale_max_replicas, found.autoscale_target_utilization) == (3, 50)
    assert (found.cpu_cores, found.memory_gb, found.period_seconds) == (0.2, 0.4, 5)
    assert (found.collect_model_data, found.scoring_timeout_ms) == (True, 100)
    assert (found.version_name, found.traffic_percentile) == ("version-a", 30)


def test_a_local_one(tmp_path: Path) -> None:
    found = files.deployment_config(written(tmp_path, {"computeType": "local", "port": 8890}))
    assert isinstance(found, LocalWebserviceDeploymentConfiguration)
    assert found.port == 8890


@pytest.mark.parametrize(
    ("content", "kind", "why"),
    [
        ({}, WebserviceException, "needs a computeType: aci, aks"),
        ({"computeType": "aks", "autoscaler": {}}, UserErrorException, "did you mean 'autoScaler'"),
        ({"computeType": "local", "numReplicas": 2}, UserErrorException, "does not take that"),
        ("[]", UserErrorException, "not a JSON object"),
        ("{", UserErrorException, "not readable JSON"),
    ],
)
def test_what_is_no_deployment_configuration(
    tmp_path: Path, content: Any, kind: type[Exception], why: str
) -> None:
    with pytest.raises(kind, match=why):
        files.deployment_config(written(tmp_path, content))


def test_an_inference_configuration(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("score.py").write_text("def init(): pass\ndef run(data): pass\n")
    environment = {
        "name": "given",
        "environmentVariables": {"A": "b"},
        "python": {"condaDependencies": {"dependencies": ["python=3.11", {"pip": ["numpy"]}]}},
        "docker": {"baseImage": "python:3.11"},
    }
    content = {"entryScript": "score.py", "sourceDirectory": None, "environment": environment}
    found = files.inference_config(written(tmp_path, content), workspace)
    assert found.environment is not None
    assert (found.entry_script, found.environment.name) == ("score.py", "given")
    assert list(found.environment.python.conda_dependencies.pip_packages) == ["numpy"]
    assert (found.environment.docker.base_image, found.environment.environment_variables) == (
        "python:3.11",
        {"A": "b"},
    )
    Environment("registered").register(workspace)
    content["environment"] = {"name": "registered", "version": "1"}
    found = files.inference_config(written(tmp_path, content), workspace)
    assert found.environment is not None
    assert found.environment.version == "1"
    for wrong in ({"sourceDirectory": "."}, {"entryScript": "score.py", "environment": "name"}):
        with pytest.raises(UserErrorException):
            files.inference_config(written(tmp_path, wrong), workspace)
