"""Images of environments alone: from a base image, a Dockerfile, or a folder with one."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from typer.testing import CliRunner

from estiva import Environment, Workspace, engine
from estiva.cli import app
from estiva.errors import EnvironmentException, ImageException, UserErrorException
from estiva.sdk.environment import DockerBuildContext

BASE = os.environ.get("ESTIVA_TEST_BASE_IMAGE", "")
EDITOR = "RUN printf '#!/bin/sh\\necho editing $1\\n' > /usr/bin/editor && chmod +x /usr/bin/editor"
CONDA = "dependencies:\n- python=3.11\n- pip:\n  - six==1.16.0\n"

pytestmark = [
    pytest.mark.xdist_group("engine"),
    pytest.mark.skipif(not BASE, reason="no container engine with a base image: scripts/_engine up"),
]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> docker.DockerClient:
    monkeypatch.chdir(tmp_path)
    return engine.connect()


@pytest.fixture
def images(client: docker.DockerClient) -> Iterator[list[str]]:
    """To remove at the end; their layers stay as long as another has them."""
    found: list[str] = []
    yield found
    for image in found:
        client.images.remove(image, force=True)


def run(client: docker.DockerClient, image: str, command: list[str]) -> str:
    container = client.containers.run(image, command[1:], entrypoint=command[0], detach=True)
    try:
        container.wait(timeout=60)
        output: bytes = container.logs()  # once it has ended, or the last lines may be missing
        return output.decode().strip()
    finally:
        container.remove(force=True)


def test_an_editor_and_a_package_are_added_through_a_dockerfile(
    client: docker.DockerClient, images: list[str], shared_workspace: Workspace
) -> None:
    Path("conda.yml").write_text(CONDA)
    Path("Dockerfile").write_text(f"FROM {BASE}\n# {uuid.uuid4()}\n{EDITOR}\n")
    environment = Environment.from_conda_specification("edited", "conda.yml")
    environment.docker.base_image = None
    environment.docker.base_dockerfile = "Dockerfile"
    assert not environment.get_image_details(shared_workspace).image_exist

    building = environment.build(shared_workspace)
    building.wait_for_completion(show_output=False)

    assert building.status == "Succeeded"
    assert "Step 1/" in building.get_log()
    found = Environment.get(shared_workspace, "edited").get_image_details(shared_workspace)
    images.append(found.repository)
    assert found.image_exist
    assert EDITOR in found.dockerfile
    assert run(client, found.repository, ["editor", "score.py"]) == "editing score.py"
    assert run(client, found.repository, ["python", "-c", "import six; print(six.__version__)"]) == "1.16.0"
    assert run(client, found.repository, ["which", "python"]) == found.interpreter_path


def test_a_folder_with_a_dockerfile_is_taken_as_it_is(
    client: docker.DockerClient, images: list[str], shared_workspace: Workspace
) -> None:
    content = {
        "build/Dockerfile": f"FROM {BASE}\nCOPY words.txt notes* /words/\n",
        "words.txt": str(uuid.uuid4()),
        "notes.md": "not for an image",
        ".dockerignore": "*.md\n",
    }
    folder = Path("context")
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    context = DockerBuildContext.from_local_directory(shared_workspace, folder, "build/Dockerfile")
    (folder / "words.txt").write_text("later")
    environment = Environment.from_docker_build_context("taken", context)

    environment.save_to_directory("saved")
    registered = Environment.load_from_directory("saved").register(shared_workspace)
    built = registered.build_image(shared_workspace, show=lambda _line: None)

    images.append(built.image)
    assert run(client, built.image, ["ls", "/words"]) == "words.txt"
    assert run(client, built.image, ["cat", "/words/words.txt"]) == content["words.txt"]
    assert registered.docker.base_dockerfile is None
    with pytest.raises(UserErrorException, match="There is no Dockerfile in"):
        DockerBuildContext.from_local_directory(shared_workspace, folder)
    with pytest.raises(UserErrorException, match="is no folder that was taken into the workspace"):
        Environment.from_docker_build_context("git", DockerBuildContext("git", "example.org")).register(
            shared_workspace
        )


def test_the_packages_of_an_image_are_used_as_they_are(
    client: docker.DockerClient, images: list[str], shared_workspace: Workspace
) -> None:
    environment = Environment.from_docker_image("bare", BASE)
    assert environment.python.user_managed_dependencies

    told = CliRunner().invoke(app, ["env", "image", "bare", "--workspace", shared_workspace.name])
    assert isinstance(told.exception, EnvironmentException)
    environment.register(shared_workspace)
    command = ["env", "image", "bare", "--workspace", shared_workspace.name]
    printed = CliRunner().invoke(app, [*command, "--dry-run"])
    built = CliRunner().invoke(app, [*command, "--output", "json"])

    assert built.exit_code == printed.exit_code == 0
    image = json.loads(built.stdout)["image"]
    images.append(image)
    assert f"FROM {BASE}" in printed.stdout
    assert run(client, image, ["python", "-c", "print('six' in __import__('sys').modules)"]) == "False"


def test_what_cannot_be_built_is_said(client: docker.DockerClient, shared_workspace: Workspace) -> None:
    broken = Environment.from_dockerfile("broken", f"FROM {BASE}\nRUN exit 7\n")
    building = broken.build(shared_workspace)
    with pytest.raises(ImageException, match="its step `RUN exit 7` failed"):
        building.wait_for_completion(show_output=False)
    assert building.status == "Failed"

    Path("conda.yml").write_text(CONDA.replace("six==1.16.0", "six==0.0.0"))
    Path("requirements.txt").write_text("six")
    missing = Environment.from_docker_image("missing", BASE, conda_specification="conda.yml")
    with pytest.raises(EnvironmentException, match="six==0"):
        missing.build_local(shared_workspace, useDocker=True)
    with pytest.raises(UserErrorException, match="not both"):
        Environment.from_docker_image("both", BASE, None, "conda.yml", "requirements.txt")
