from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from estiva.cli.ml import without_cloud
from estiva.errors import WebserviceException
from tests.azureml.conftest import own_classes
from tests.cli.conftest import Run

__all__ = ["own_classes"]  # `estiva ml` is azureml.core's classes, in a program of its own

SCORE = "def init():\n    pass\n\ndef run(data):\n    return {answer!r}\n"


@pytest.fixture
def folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The files that a script for the v1 command line has; the packages that run the tests serve."""
    monkeypatch.chdir(tmp_path)
    Path("score.py").write_text(SCORE.format(answer="first"))
    Path("model.pkl").write_bytes(b"weights")
    environment = {"name": "current", "python": {"userManagedDependencies": True}}
    inference = {"entryScript": "score.py", "runtime": None, "environment": environment}
    Path("inferenceconfig.json").write_text(json.dumps(inference))
    deployment = {"computeType": "AKS", "authEnabled": True, "containerResourceRequirements": {"cpu": 0.1}}
    Path("deploymentconfig.json").write_text(json.dumps(deployment))
    yield tmp_path
    run("down")


def test_the_life_of_a_service(run: Run, folder: Path) -> None:
    run("ml", "model", "register", "-n", "iris", "-p", "model.pkl", "--tag", "stage=trial", "-g", "group")
    listed = json.loads(run("ml", "model", "list", "-o", "json"))
    assert [(model["id"], model["tags"]) for model in listed] == [("iris:1", {"stage": "trial"})]
    files = ("--ic", "inferenceconfig.json", "--dc", "deploymentconfig.json")
    shown = run("ml", "model", "deploy", "-n", "mysvc", "-m", "iris:1", *files)
    assert 'AKS service creation operation finished, operation "Succeeded"' in shown
    assert run("ml", "service", "run", "-n", "mysvc", "-d", "{}") == '"first"\n'
    assert "primaryKey" in run("ml", "service", "get-keys", "-n", "mysvc")
    run("ml", "service", "regen-key", "-n", "mysvc", "-k", "primary")
    Path("score.py").write_text(SCORE.format(answer="second"))
    run("ml", "service", "update", "-n", "mysvc", "--ic", "inferenceconfig.json")
    assert run("ml", "service", "run", "-n", "mysvc", "-d", "{}") == '"second"\n'
    assert "ready after" in run("ml", "service", "get-logs", "-n", "mysvc")
    with pytest.raises(WebserviceException, match="not an endpoint"):
        run("ml", "endpoint", "realtime", "show", "-n", "mysvc")
    assert "AKS" in run("ml", "service", "show", "-n", "mysvc")
    assert "deleted" in run("ml", "service", "delete", "-n", "mysvc")
    assert "No services" in run("ml", "service", "list")


@pytest.mark.slow
def test_an_endpoint_with_two_versions(run: Run, folder: Path) -> None:
    deployment = {"computeType": "AksEndpoint", "versionName": "version-a", "trafficPercentile": 20}
    Path("deploymentconfig.json").write_text(json.dumps(deployment))
    files = ("--ic", "inferenceconfig.json", "--dc", "deploymentconfig.json")
    run("ml", "model", "deploy", "-n", "myend", "-m", "model.pkl", *files)
    realtime = ("ml", "endpoint", "realtime")
    which = ("-n", "myend", "-v", "version-b")
    run(*realtime, "create-version", *which, "--ic", "inferenceconfig.json", "--traffic-percentile", "10")
    run(*realtime, "update-version", *which, "--traffic-percentile", "30", "--is-default")
    rows = json.loads(run(*realtime, "show", "-n", "myend", "-o", "json"))
    assert [(row["version"], row["default"]) for row in rows] == [("version-a", False), ("version-b", True)]
    run(*realtime, "delete-version", "-n", "myend", "-v", "version-a")
    assert len(json.loads(run(*realtime, "show", "-n", "myend", "-o", "json"))) == 1
    run("ml", "service", "delete", "-n", "myend")


def test_where_in_a_cloud_is_left_out() -> None:
    given = ["model", "list", "-g", "group", "-n", "x", "--subscription=s", "--resource-group", "g"]
    assert without_cloud(given) == ["model", "list", "-n", "x"]
