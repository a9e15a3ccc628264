from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from estiva.cli.environment import read, unquoted, variables
from estiva.errors import EnvironmentException, UserErrorException
from tests.cli.conftest import Run
from tests.environments.conftest import Wheels

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


def test_locks_are_shown_compared_and_updated(run: Run, tmp_path: Path) -> None:
    wheels = Wheels(tmp_path)
    wheels.make("thing", "1.0")
    file = tmp_path / "requirements.txt"
    file.write_text(f"--no-index\n--find-links {tmp_path}\nthing\n")
    try:
        run("workspace", "create", "lab")
        run("env", "create", "mine", str(file), "-w", "lab")
        shown = run("env", "lock", "mine", "-w", "lab")
        assert shown.startswith("# mine, version 1, on ")
        assert "thing==1.0 \\\n    --hash=sha256:" in shown
        wheels.make("thing", "2.0")
        assert run("env", "lock", "mine", "-w", "lab") == shown
        assert '"purl": "pkg:pypi/thing@1.0"' in run("env", "sbom", "mine", "-w", "lab")
        updated = run("env", "update", "mine", "-w", "lab")
        assert updated == "name     mine\nversion  2\nthing 1.0 -> 2.0\n"
        assert run("env", "diff", "mine:1", "mine", "-w", "lab") == "thing 1.0 -> 2.0\n"
        assert run("env", "diff", "mine:2", "mine", "-w", "lab") == "The packages are the same.\n"
    finally:
        run("down")


@pytest.mark.network
def test_a_bundle_is_exported_and_imported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    wheels = Wheels(tmp_path / "wheels")
    wheel = wheels.make("thing", "1.0")
    file, bundle = tmp_path / "requirements.txt", tmp_path / "mine.tar"
    file.write_text(f"--no-index\n--find-links {wheels.folder}\nthing\n")
    try:
        run("workspace", "create", "lab")
        run("env", "create", "mine", str(file), "-w", "lab")
        assert str(bundle) in run("env", "export", "mine", "--bundle", str(bundle), "-w", "lab")
        wheel.unlink()
        imported = json.loads(run("env", "import", str(bundle), "--name", "copy", "-w", "lab", "-o", "json"))
        assert (imported["name"], imported["version"]) == ("copy", "1")
        assert imported["packages"] == ["thing==1.0"]
        again = json.loads(run("env", "import", str(bundle), "--name", "copy", "-w", "lab", "-o", "json"))
        assert again == imported
        over = json.loads(run("env", "import", str(bundle), "-w", "lab", "-o", "json"))
        assert (over["name"], over["version"]) == ("mine", "2")
        file.write_text("never-downloaded\n")
        with pytest.raises(EnvironmentException, match=r"never-downloaded is not among .* offline"):
            run("env", "build", str(file), "--offline", "-w", "lab")
    finally:
        run("down")


def test_an_environment_is_proposed_as_a_conda_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text("import joblib\nimport not_installed_here\n")
    file = tmp_path / "environment.yml"
    try:
        run("workspace", "create", "lab")
        shown = run("env", "infer", str(tmp_path / "score.py"), "-w", "lab")
        assert f"joblib=={version('joblib')}" in shown
        assert run("env", "infer", str(tmp_path / "score.py"), "--file", str(file), "-w", "lab") == ""
        assert file.read_text() == shown
        assert read("again", file).to_specification().pip_packages == (f"joblib=={version('joblib')}",)
    finally:
        run("down")
