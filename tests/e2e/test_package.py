"""Packages as their users make them: an image that a real engine runs, or a Dockerfile in a folder."""

from __future__ import annotations

import json
import os
import re
import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner

from estiva import Environment, InferenceConfig, Model, Workspace, engine
from estiva.cli import app
from estiva.errors import WebserviceException

BASE = os.environ.get("ESTIVA_TEST_BASE_IMAGE", "")
# New in each run, so that an image is built.
SCRIPT = (
    f"# {uuid.uuid4()}\n"
    "import json\n\ndef init(): ...\n\ndef run(data):\n    return [2 * n for n in json.loads(data)]\n"
)

needs_engine = pytest.mark.skipif(
    not BASE, reason="no container engine with a base image: scripts/_engine up"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a model and a script; what the control server will find as its settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESTIVA_BASE_IMAGE", BASE or "debian:12")
    (tmp_path / "score.py").write_text(SCRIPT)
    (tmp_path / "model.txt").write_text("model")
    return tmp_path


@pytest.fixture
def inference(folder: Path) -> InferenceConfig:
    environment = Environment("plain")
    environment.python.conda_dependencies.set_python_version("3.11")
    return InferenceConfig(entry_script="score.py", environment=environment)


@needs_engine
def test_a_packaged_image_is_in_the_local_engine(
    inference: InferenceConfig, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    package = Model.package(workspace, ["model.txt"], inference, image_name="doubling", image_label="1")
    package.wait_for_creation(show_output=True)

    said = capsys.readouterr().out
    assert re.search(r"^Step 1/\d+ : FROM ", said, re.MULTILINE)
    assert said.endswith("Package creation Succeeded\n")
    assert package.state == "Succeeded"
    assert package.location == "doubling:1"
    assert package.get_logs() in said
    image = engine.connect().images.get("doubling:1")
    try:
        assert image.labels["estiva.models"] == '["model.txt:0"]'
        package.pull()
        assert capsys.readouterr().out == "The image doubling:1 is in the local engine already.\n"
    finally:
        engine.connect().images.remove(str(image.id), force=True)
    with pytest.raises(WebserviceException, match="use pull"):
        package.save("somewhere")


def test_a_dockerfile_is_written_with_all_that_it_copies(
    inference: InferenceConfig, workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Model.package(workspace, ["model.txt"], inference, generate_dockerfile=True)

    package.save("package")

    root = folder / "package"
    assert (root / "azureml-app" / "score.py").read_text() == SCRIPT
    assert (root / "azureml-app" / "azureml-models" / "model.txt" / "0" / "model.txt").read_text() == "model"
    copied = re.findall(
        r"^COPY (?!--from)(?:--chown=\S+ )?\[?\"?([^\s\",]+)", (root / "Dockerfile").read_text(), re.MULTILINE
    )
    assert copied
    assert all((root / path).exists() for path in copied)
    assert os.access(root / "estiva-build" / "uv", os.X_OK)
    with pytest.raises(WebserviceException, match="use save"):
        package.pull()


def test_without_an_engine_the_error_names_the_alternatives(
    folder: Path, monkeypatch: pytest.MonkeyPatch, inference: InferenceConfig, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/none.sock")
    workspace = request.getfixturevalue("workspace")

    package = Model.package(workspace, [], inference)

    with pytest.raises(WebserviceException, match="generate_dockerfile=True") as caught:
        package.wait_for_creation()
    assert caught.value.code == "NoEngine"
    assert package.state == "Failed"
    assert package.error == {"code": "NoEngine", "message": package.error["message"] if package.error else ""}


def test_a_name_that_no_image_can_have(inference: InferenceConfig, workspace: Workspace) -> None:
    package = Model.package(workspace, [], inference, image_name="Upper")

    with pytest.raises(WebserviceException, match="Upper:1 cannot be the name of an image"):
        package.wait_for_creation()


def test_the_command_prints_a_dockerfile_or_writes_it(folder: Path, workspace: Workspace) -> None:
    (folder / "env.yml").write_text("dependencies:\n- python=3.11\n")
    command = ["package", "--model", "model.txt", "--env", "env.yml", "--workspace", workspace.name]

    printed = CliRunner().invoke(app, [*command, "--dry-run"])
    written = CliRunner().invoke(app, [*command, "--dockerfile", "package", "--output", "json"])

    assert printed.exit_code == written.exit_code == 0
    assert (folder / "package" / "Dockerfile").read_text() == printed.stdout
    assert json.loads(written.stdout) == {"dockerfile": "package/Dockerfile"}
