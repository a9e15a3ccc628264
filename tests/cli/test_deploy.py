"""`estiva deploy` without a score script; with one, tests/e2e deploys."""

from __future__ import annotations

import json
import os
from pathlib import Path

import joblib
import pytest
from sklearn.dummy import DummyRegressor

from estiva.cli.deploy import Framework
from estiva.errors import UserErrorException
from estiva_server import contract
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_frameworks_are_those_of_the_server() -> None:
    assert [one.value for one in Framework] == list(contract.NO_CODE_SCRIPTS)


def test_a_file_and_its_framework(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sklearn.base.__version__", "unknown")  # so that nothing is installed for it
    joblib.dump(DummyRegressor(strategy="constant", constant=3.5).fit([[1.0]], [3.5]), "three.pkl")
    try:
        run("deploy", "three", "--model", "three.pkl", "--framework", "scikitlearn")
        assert json.loads(run("service", "run", "three", "--data", '{"data": [[1]]}')) == {"predict": [3.5]}
    finally:
        run("service", "delete", "three")
        run("down")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--entry", "mine.py", "--framework", "Onnx"], "Give --entry or --framework, not both"),
        (["--watch"], "--watch needs a score script: name it with --entry"),
        (["--source", os.curdir], "--source needs a score script"),
        (["--entry", "mine.py", "--kind", "kubernetes", "--port", "8890"], "Leave out --port: Kubernetes"),
        (["--entry", "mine.py", "--auth", "token"], "Only Kubernetes services have tokens"),
    ],
)
def test_options_that_contradict_each_other(run: Run, folder: Path, options: list[str], told: str) -> None:
    (folder / "mine.py").write_text("def init(): pass\ndef run(data): return data\n")
    (folder / "m.onnx").touch()
    run("workspace", "create", "here")
    try:
        with pytest.raises(UserErrorException, match=told):
            run("deploy", "mine", "--model", "m.onnx", "--workspace", "here", *options)
    finally:
        run("down")
