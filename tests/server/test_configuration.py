"""The configuration file that stands in for variables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from estiva_server.configuration import Configuration, ConfigurationError, read_configuration, without_effect
from tests.server.conftest import Serve

SCRIPT = "def init(): pass\ndef run(data): return len(data)\n"


def read(folder: Path, content: object, asked: bool = True) -> Configuration:
    path = folder / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_configuration(path if asked else None, [folder])


def test_members_are_texts_as_variables_are(tmp_path: Path) -> None:
    found = read(tmp_path, {"SCORING_TIMEOUT_MS": 500, "WORKER_PRELOAD": True, "SERVICE_NAME": "churn"})
    assert found.values == {"SCORING_TIMEOUT_MS": "500", "WORKER_PRELOAD": "true", "SERVICE_NAME": "churn"}
    assert found.notices == ()


def test_a_member_that_is_null_is_not_set(tmp_path: Path) -> None:
    assert read(tmp_path, {"SERVICE_NAME": None}).values == {}


def test_unknown_keys_are_named(tmp_path: Path) -> None:
    found = read(tmp_path, {"TIMEOUT": 1, "SERVICE_NAME": "churn", "PORT": 2})
    assert found.values == {"SERVICE_NAME": "churn"}
    assert found.notices == (
        f"{tmp_path / 'config.json'} has keys that are unknown here and have no effect: PORT, TIMEOUT.",
    )


def test_many_unknown_keys_are_counted(tmp_path: Path) -> None:
    (notice,) = read(tmp_path, {f"KEY_{number:02}": 1 for number in range(12)}).notices
    assert notice.endswith("KEY_08, KEY_09 and 2 more.")


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "is not JSON"), ("[1]", "holds no JSON object"), ("[" * 100_000, "is not JSON")],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read(tmp_path, content)
    (notice,) = read(tmp_path, content, asked=False).notices
    assert said in notice
    assert notice.endswith("It is passed over.")


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_configuration(tmp_path / "missing.json", [])


def test_what_has_no_effect_is_said_when_it_is_on() -> None:
    variables = {"AML_APP_INSIGHTS_ENABLED": "true", "AML_MODEL_DC_STORAGE_ENABLED": "false", "PATH": "/bin"}
    assert without_effect(variables) == ["AML_APP_INSIGHTS_ENABLED: set, but without effect here."]


def test_a_server_takes_it_and_variables_win(serve: Serve) -> None:
    settings = {
        "SERVICE_NAME": "churn",
        "ESTIVA_BODY_LIMIT_BYTES": 10,
        "SERVICE_PATH_PREFIX": "a/b",
        "COLOUR": 1,
    }
    files = {"score.py": SCRIPT, "config.json": json.dumps(settings)}
    server = serve(files, ESTIVA_BODY_LIMIT_BYTES="20")
    assert server.score("x" * 20).json == 20
    assert server.score("x" * 21).status == 413
    document = server.ask("GET", "/swagger.json").json
    assert document["info"]["title"] == "churn"
    assert "/a/b/score" in document["paths"]
    server.log.wait_for("config.json has keys that are unknown here and have no effect: COLOUR")
