from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from estiva_server.schema import Schema
from estiva_server.settings import Settings
from estiva_server.swagger import describe

VERSIONS = ["2", "2.0", "3", "3.0", "3.1"]


def document(version: str, settings: Settings, schema: Schema | None = None) -> Any:
    return json.loads(describe(version, settings, schema) or b"")


@pytest.mark.parametrize(
    ("version", "key", "value"),
    [
        ("2", "swagger", "2.0"),
        ("2.0", "swagger", "2.0"),
        ("3", "openapi", "3.0.3"),
        ("3.0", "openapi", "3.0.3"),
        ("3.1", "openapi", "3.1.0"),
    ],
)
def test_a_script_without_a_schema(tmp_path: Path, version: str, key: str, value: str) -> None:
    settings = Settings(app_root=tmp_path, service_name="churn", service_version="7")
    made = document(version, settings)
    assert made[key] == value
    assert (made["info"]["title"], made["info"]["version"]) == ("churn", "7")
    assert set(made["paths"]) == {"/", "/score", "/swagger.json"}


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_valid(tmp_path: Path, version: str) -> None:
    schema = Schema(
        input={"type": "object", "properties": {"n": {"type": "integer"}}, "example": {"n": 1}},
        output={"type": "integer", "example": 2},
        versions=("2.0", "3.0", "3.1"),
    )
    settings = Settings(app_root=tmp_path, service_path_prefix="/api/v1/churn/")
    validate(document(version, settings))
    validate(document(version, settings, schema))
    assert "/api/v1/churn/score" in document(version, settings)["paths"]
    assert '{"n": 1}' in json.dumps(document(version, settings, schema))


def test_a_service_without_a_name(tmp_path: Path) -> None:
    assert document("2", Settings(app_root=tmp_path))["info"]["title"] == "ML service"


def test_an_unknown_version(tmp_path: Path) -> None:
    assert describe("1", Settings(app_root=tmp_path), None) is None


def test_a_version_that_cannot_say_it(tmp_path: Path) -> None:
    schema = Schema(input={}, output={}, versions=("3.0", "3.1"))
    assert describe("2", Settings(app_root=tmp_path), schema) is None
    assert describe("3", Settings(app_root=tmp_path), schema) is not None


@pytest.mark.parametrize(
    ("name", "version"),
    [("swagger.json", "2"), ("swagger2.json", "2.0"), ("swagger3.json", "3"), ("swagger3.1.json", "3.1")],
)
def test_the_users_own_description_wins(tmp_path: Path, name: str, version: str) -> None:
    (tmp_path / name).write_text('{"mine": true}')
    assert describe(version, Settings(app_root=tmp_path), None) == b'{"mine": true}'


def test_of_two_for_version_2_the_one_without_a_number_comes_first(tmp_path: Path) -> None:
    (tmp_path / "swagger.json").write_text("general")
    (tmp_path / "swagger2.json").write_text("special")
    assert describe("2", Settings(app_root=tmp_path), None) == b"general"
