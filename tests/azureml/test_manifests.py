from __future__ import annotations

import json
from pathlib import Path

import pytest

from estiva.azureml import manifests
from estiva.azureml.workspace import Workspace
from estiva.errors import UserErrorException

SCORE = "import os\n\ndef init():\n    pass\n\ndef run(data):\n    return {answer!r} + os.environ['MARK']\n"

DEPLOYMENT = """
$schema: local
name: {name}
endpoint_name: v2end
model:
  path: model.txt
code_configuration:
  code: {name}
  scoring_script: score.py
environment: azureml:current@latest
environment_variables:
  MARK: {mark}
instance_type: large
{scale}
request_settings:
  request_timeout_ms: 5000
"""

ENDPOINT = """
name: v2end
auth_mode: key
traffic:
  blue: 10
  green: 90
"""


@pytest.fixture
def folder(workspace: Workspace, tmp_path: Path) -> Path:
    """Two deployments; the packages that run the tests serve."""
    from estiva.azureml.environment import Environment

    environment = Environment("current")
    environment.python.user_managed_dependencies = True
    environment.register(workspace)
    (tmp_path / "model.txt").write_text("weights")
    for name in ("blue", "green"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "score.py").write_text(SCORE.format(answer=name))
        (tmp_path / f"{name}.yml").write_text(DEPLOYMENT.format(name=name, mark=1, scale="instance_count: 1"))
    (tmp_path / "endpoint.yml").write_text(ENDPOINT)
    return tmp_path


def test_an_endpoint_and_its_deployments(
    workspace: Workspace, folder: Path, told: pytest.CaptureFixture[str]
) -> None:
    endpoint = manifests.deploy(workspace, [folder / "blue.yml"])
    assert endpoint.run("{}") == "blue1"
    assert "instance_type kept, without effect" in told.readouterr().err
    scale = "scale_settings: {type: target_utilization, max_instances: 2}"
    (folder / "green.yml").write_text(DEPLOYMENT.format(name="green", mark=2, scale=scale))
    (folder / "blue.yml").write_text(DEPLOYMENT.format(name="blue", mark=3, scale="instance_count: 1"))
    both = [folder / "blue.yml", folder / "green.yml", folder / "endpoint.yml"]
    endpoint = manifests.deploy(workspace, both)
    shares = {name: version.traffic_percentile for name, version in endpoint.versions.items()}
    assert shares == {"blue": 10, "green": 90}
    assert endpoint.versions["green"].run("{}") == "green2"
    assert endpoint.versions["blue"].run("{}") == "blue3"
    assert endpoint.versions["green"].autoscaler.max_replicas == 2
    assert json.loads(json.dumps(endpoint.serialize()["versions"]))["green"]["isDefault"]
    endpoint.delete()


def test_what_is_no_manifest(workspace: Workspace, folder: Path) -> None:
    (folder / "other.yml").write_text("name: x\nendpoint_name: y\nreplicas: 2\n")
    with pytest.raises(UserErrorException, match="does not know replicas"):
        manifests.deploy(workspace, [folder / "other.yml"])
    with pytest.raises(UserErrorException, match="no deployment yet"):
        manifests.deploy(workspace, [folder / "endpoint.yml"])
    (folder / "broken.yml").write_text("name: [")
    with pytest.raises(UserErrorException, match="not readable YAML"):
        manifests.deploy(workspace, [folder / "broken.yml"])
