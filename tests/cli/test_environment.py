from __future__ import annotations

from pathlib import Path

import pytest

from estiva.cli.environment import read, unquoted, variables
from estiva.errors import UserErrorException

FILE = """\
# of the team

LEVEL=info
export REGION = "north east"
QUERY=a=b&c='d'
EMPTY=
  PADDED=x
QUOTE="it's"
HALF='abc"
"""


def test_variables_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "env").write_text(FILE)
    assert variables(tmp_path / "env") == {
        "LEVEL": "info",
        "REGION": "north east",
        "QUERY": "a=b&c='d'",
        "EMPTY": "",
        "PADDED": "x",
        "QUOTE": "it's",
        "HALF": "'abc\"",
    }
    assert variables(None) == {}


@pytest.mark.parametrize("line", ["hunter2", "=hunter2", " = hunter2"])
def test_a_line_that_is_no_variable_is_named_but_never_shown(tmp_path: Path, line: str) -> None:
    (tmp_path / "secrets").write_text(f"A=1\n{line}\n")
    with pytest.raises(UserErrorException, match=r"secrets, line 2 is not NAME=VALUE") as caught:
        variables(tmp_path / "secrets")
    assert "hunter2" not in caught.value.message


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "env").write_bytes(b"A=\xff")
    with pytest.raises(UserErrorException, match="is not UTF-8 text"):
        variables(tmp_path / "env")


@pytest.mark.parametrize(
    ("value", "read_as"),
    [("'a'", "a"), ('"a"', "a"), ("'a", "'a"), ("a'", "a'"), ("'", "'"), ("''", ""), ("", "")],
)
def test_only_a_pair_of_quotation_marks_is_taken_away(value: str, read_as: str) -> None:
    assert unquoted(value) == read_as


def test_a_file_is_read_by_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("joblib\n")
    (tmp_path / "environment.yaml").write_text("dependencies: [python=3.10]")
    assert read("a", tmp_path / "requirements.txt").to_specification().pip_packages == ("joblib",)
    assert read("b", tmp_path / "environment.yaml").to_specification().python_version == "3.10"
