"""How an engine is found, and that no error of its client is left untranslated."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import docker.errors
import pytest
import requests

from estiva import engine
from estiva.errors import ImageException, RunEnvironmentException

CLIENT_ERRORS = [
    kind
    for _, kind in inspect.getmembers(docker.errors, inspect.isclass)
    if kind.__module__ == "docker.errors"
]


ARGUMENTS: dict[type[Exception], tuple[object, ...]] = {
    docker.errors.BuildError: ("x", []),
    docker.errors.ContainerError: ("x", 1, "x", "x", "x"),
}


@pytest.mark.parametrize("kind", CLIENT_ERRORS)
def test_each_error_of_the_client_is_translated(kind: type[Exception]) -> None:
    error = kind(*ARGUMENTS.get(kind, ("x",)))
    with (
        pytest.raises(ImageException) as caught,
        engine.translated("The image x cannot be pushed", ImageException),
    ):
        raise error

    assert caught.value.message.startswith("The image x cannot be pushed: ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (requests.ConnectionError("refused"), "EngineLost"),
        (requests.ReadTimeout("late"), "EngineTimeout"),
        (requests.ConnectTimeout("late"), "EngineTimeout"),
        (docker.errors.StreamParseError("cut"), "EngineLost"),
        (docker.errors.APIError("x", explanation="no basic auth credentials"), "RegistryRefused"),
        (docker.errors.APIError("x", explanation="manifest unknown"), "ImageNotFound"),
        (docker.errors.APIError("x", explanation="write /var: no space left on device"), "DiskFull"),
        (docker.errors.APIError("x", explanation="exec format error"), "PlatformMismatch"),
    ],
)
def test_an_error_says_what_to_do(error: Exception, code: str) -> None:
    found = engine.explain("The image x cannot be pulled", error, ImageException)

    assert found.code == code
    assert found.message.startswith("The image x cannot be pulled: ")


def test_without_an_engine_the_alternatives_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    with pytest.raises(RunEnvironmentException, match=r"run as processes.*generate_dockerfile") as caught:
        engine.connect()

    assert caught.value.code == "NoEngine"
    assert "DOCKER_HOST" in caught.value.message
    assert not engine.available()


def test_the_current_context_says_where_the_engine_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = "d2bf0a7b8dfe4a1b5d43e1bdb0f4a22f44b0d0b7c5a3d6a1f0cbb7a3a3d4b1c9"
    meta = tmp_path / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "far"}))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))

    with pytest.raises(
        RunEnvironmentException, match="context that is current cannot be used: it does not exist"
    ):
        engine.find()


def test_podmans_socket_is_found_where_docker_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if Path("/var/run/docker.sock").exists():
        pytest.skip("Docker's own socket is there, which comes first")
    socket = tmp_path / "podman" / "podman.sock"
    socket.parent.mkdir()
    socket.touch()
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    assert engine.find().url == f"unix://{socket}"
