"""Packages that are pushed to a registry which wants a login, and pulled from there."""

from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from estiva import Environment, InferenceConfig, Model, Workspace, engine
from estiva.cli import app
from estiva.errors import WebserviceException
from estiva.sdk.package import ModelPackage

BASE = os.environ.get("ESTIVA_TEST_BASE_IMAGE", "")
REGISTRY = os.environ.get("ESTIVA_TEST_REGISTRY", "")
LOGIN = os.environ.get("ESTIVA_TEST_REGISTRY_LOGIN", ":")
HELPER = """\
#!/bin/sh
echo '{"ServerURL": "%s", "Username": "%s", "Secret": "%s"}'
"""

pytestmark = [
    pytest.mark.xdist_group("engine"),
    pytest.mark.skipif(not (BASE and REGISTRY), reason="no engine with a registry: scripts/_engine up"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """With Docker's configuration and a folder of programs, known to the control server."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "bin").mkdir()
    (folder / "score.py").write_text(f"# {uuid.uuid4()}\ndef init(): ...\n\ndef run(data): ...\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DOCKER_CONFIG", str(folder))
        patch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)
        yield folder


@pytest.fixture(scope="module")
def team(folder: Path, request: pytest.FixtureRequest) -> Workspace:
    """A workspace whose packages go to the registry."""
    workspace: Workspace = request.getfixturevalue("shared_workspace")
    workspace.set_image_defaults(base_image=BASE, registry=f"{REGISTRY}/team")
    return workspace


@pytest.fixture
def name() -> Iterator[str]:
    """Of an image that is in no engine when the test is over."""
    name = f"pushed-{uuid.uuid4().hex[:8]}"
    yield name
    client = engine.connect()
    found = [*client.images.list(f"{REGISTRY}/team/{name}"), *client.images.list(name)]
    for image in {str(image.id) for image in found}:
        client.images.remove(image, force=True)


def package(workspace: Workspace, name: str) -> ModelPackage:
    environment = Environment("plain")
    environment.python.conda_dependencies.set_python_version("3.11")
    made = Model.package(workspace, [], InferenceConfig("score.py", environment=environment), image_name=name)
    made.wait_for_creation()
    return made


def by_login(folder: Path) -> None:
    """As `docker login` leaves it."""
    auth = base64.b64encode(LOGIN.encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {REGISTRY: {"auth": auth}}}))


def by_helper(folder: Path) -> None:
    user, _, password = LOGIN.partition(":")
    program = folder / "bin" / "docker-credential-estiva-test"
    program.write_text(HELPER % (REGISTRY, user, password))
    program.chmod(0o700)
    (folder / "config.json").write_text(json.dumps({"credHelpers": {REGISTRY: "estiva-test"}}))


@pytest.mark.parametrize("knows", [by_login, by_helper])
def test_a_package_is_pushed_and_pulled_with_what_docker_knows(
    team: Workspace, folder: Path, name: str, capsys: pytest.CaptureFixture[str], knows: type
) -> None:
    knows(folder)

    made = package(team, name)

    location = str(made.location)
    assert location.startswith(f"{REGISTRY}/team/{name}@sha256:")
    client = engine.connect()
    for image in (location, f"{name}:1"):
        client.images.remove(image, force=True)
    capsys.readouterr()
    made.pull()
    said = capsys.readouterr().out
    assert f"Digest: {location.partition('@')[2]}" in said
    assert client.images.get(location).labels["estiva.entry_script"] == "score.py"


def test_a_registry_that_does_not_know_the_user(team: Workspace, folder: Path, name: str) -> None:
    (folder / "config.json").write_text("{}")

    with pytest.raises(WebserviceException, match="docker login") as caught:
        package(team, name)

    assert caught.value.code == "RegistryRefused"
    assert engine.connect().images.list(name)  # it is built


def test_the_settings_of_a_workspace_are_shown_and_taken_away(team: Workspace) -> None:
    command = ["workspace", "set", "--workspace", team.name, "--output", "json"]

    def told(*settings: str) -> object:
        result = CliRunner().invoke(app, [*command, *settings])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    assert told() == {"base_image": BASE, "registry": f"{REGISTRY}/team"}
    assert told("registry=") == {"base_image": BASE, "registry": None}
    assert told(f"registry={REGISTRY}/team/") == {"base_image": BASE, "registry": f"{REGISTRY}/team"}
    refused = CliRunner().invoke(app, [*command, "colour=blue"])
    assert "has no setting colour" in str(refused.exception)
