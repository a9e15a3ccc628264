"""The example is real: it trains, and its entry script scores what it trained."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from estiva import Workspace
from estiva.home import Home
from estiva.sdk.connection import connect

EXAMPLE = Path(__file__).parent.parent / "examples" / "diabetes"


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    folder = tmp_path / "diabetes"
    shutil.copytree(EXAMPLE, folder)
    subprocess.run([sys.executable, "train.py"], cwd=folder, check=True)
    return folder


def score(folder: Path, request: bytes) -> dict[str, Any]:
    """What the entry script answers in a process of its own."""
    program = "import sys, json, score; score.init(); print(json.dumps(score.run(sys.stdin.read())))"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"AZUREML_MODEL_DIR": "."},
        input=request,
        capture_output=True,
        check=True,
    )
    answered: dict[str, Any] = json.loads(ended.stdout)
    return answered


def test_what_is_trained_is_scored(trained: Path) -> None:
    request = (trained / "sample.json").read_bytes()
    sample = json.loads(request)
    predictions = score(trained, request)["predictions"]
    # The progression is between 25 and 346; a model that learned nothing would answer 152 for everybody.
    assert len(predictions) == len(sample["data"]) == len(sample["truth"])
    assert predictions[0] > 200 < sample["truth"][0]
    assert predictions[2] < 200 > sample["truth"][2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_model_replaces_another(trained: Path, home: Home) -> None:
    try:
        rolled = subprocess.run(
            [sys.executable, "rollout.py"], cwd=trained, check=True, capture_output=True, text=True
        )
        lines = rolled.stdout.splitlines()
        assert any(line.startswith("ridge: 90 % of the requests, default, Healthy {") for line in lines)
        boosted = next(line for line in lines if line.startswith("boosted: 10 % of the requests, Healthy {"))
        assert boosted.endswith(lines[-1])
    finally:
        for service in Workspace.get("diabetes").webservices.values():
            service.delete()
        connect().stop()
        connect().close()
