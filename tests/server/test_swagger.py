from __future__ import annotations

import json
from pathlib import Path

import pytest

from estiva_server.swagger import describe


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
def test_the_simple_form(tmp_path: Path, version: str, key: str, value: str) -> None:
    document = json.loads(describe(version, tmp_path, "churn") or b"")
    assert document[key] == value
    assert document["info"]["title"] == "churn"
    assert set(document["paths"]) == {"/", "/score"}


def test_an_unknown_version(tmp_path: Path) -> None:
    assert describe("1", tmp_path, "churn") is None


@pytest.mark.parametrize(
    ("name", "version"),
    [("swagger.json", "2"), ("swagger2.json", "2.0"), ("swagger3.json", "3"), ("swagger3.1.json", "3.1")],
)
def test_the_users_own_description_wins(tmp_path: Path, name: str, version: str) -> None:
    (tmp_path / name).write_text('{"mine": true}')
    assert describe(version, tmp_path, "churn") == b'{"mine": true}'


def test_the_file_that_names_its_version_comes_first(tmp_path: Path) -> None:
    (tmp_path / "swagger.json").write_text("general")
    (tmp_path / "swagger2.json").write_text("special")
    assert describe("2", tmp_path, "churn") == b"special"
