from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from estiva_server import contract
from estiva_server.settings import Settings, SettingsError, find_model_dir, read_settings


def test_defaults_serve_the_folder(tmp_path: Path) -> None:
    (tmp_path / "score.py").touch()
    assert read_settings([], {}, tmp_path) == Settings(app_root=tmp_path, model_dir=".")


def test_flags_come_before_variables(tmp_path: Path) -> None:
    variables = {"AZUREML_ENTRY_SCRIPT": "v.py", "AZUREML_MODEL_DIR": "v", "AZUREML_SOURCE_DIRECTORY": "v"}
    flags = ["--entry-script", "f.py", "--model-dir", "f", "--source-root", "f"]
    by_variable = read_settings([], variables, tmp_path)
    by_flag = read_settings(flags, variables, tmp_path)
    assert (by_variable.entry_script, by_variable.model_dir, by_variable.source_root) == ("v.py", "v", "v")
    assert (by_flag.entry_script, by_flag.model_dir, by_flag.source_root) == ("f.py", "f", "f")


def test_all_there_is(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    flags = ["--app-root", "app", "--host", "::1", "--port", "8080"]
    flags += ["--unix-socket", "s", "--run-dir", "r", "--log-dir", "l"]
    variables = {
        "SCORING_TIMEOUT_MS": "0",
        "ESTIVA_CONCURRENCY": "4",
        "WORKER_COUNT": "2",
        "WORKER_PRELOAD": "True",
        "ESTIVA_BATCH_MAX_SIZE": "16",
        "ESTIVA_BATCH_MAX_WAIT_MS": "0",
        "ESTIVA_BODY_LIMIT_BYTES": "10",
        "ESTIVA_DEBUG": "true",
        "SERVICE_NAME": "churn",
    }
    settings = read_settings(flags, variables, tmp_path)
    assert settings == Settings(
        app_root=tmp_path / "app",
        model_dir=".",
        host="::1",
        port=8080,
        unix_socket=Path("s"),
        run_dir=Path("r"),
        log_dir=Path("l"),
        scoring_timeout_ms=0,
        concurrency=4,
        workers=2,
        preload=True,
        batch_max_size=16,
        batch_max_wait_ms=0,
        body_limit=10,
        debug=True,
        service_name="churn",
    )
    assert settings.address == "unix:s"
    assert dataclasses.replace(settings, unix_socket=None).address == "http://[::1]:8080"


def test_the_app_root_may_be_a_variable(tmp_path: Path) -> None:
    assert read_settings([], {"AML_APP_ROOT": str(tmp_path)}, Path("/")).app_root == tmp_path


def test_in_an_image_its_app_root_is_served_unless_the_script_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, here = tmp_path / "image", tmp_path / "here"
    here.mkdir()
    monkeypatch.setattr(contract, "APP_ROOT", str(image))
    assert read_settings([], {}, here).app_root == here
    image.mkdir()
    assert read_settings([], {}, here).app_root == image
    (here / "score.py").touch()
    assert read_settings([], {}, here).app_root == here


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"SCORING_TIMEOUT_MS": "soon"},
            "SCORING_TIMEOUT_MS is 'soon', but must be a whole number from 0 on",
        ),
        ({"SCORING_TIMEOUT_MS": "-1"}, "SCORING_TIMEOUT_MS is '-1'"),
        ({"ESTIVA_CONCURRENCY": "0"}, "ESTIVA_CONCURRENCY is '0', but must be a whole number from 1 on"),
        ({"ESTIVA_BODY_LIMIT_BYTES": "1.5"}, "ESTIVA_BODY_LIMIT_BYTES is '1.5'"),
        ({"AML_APP_ROOT": "nowhere"}, r"The app root .*/nowhere is not a folder"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, variables: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_settings([], variables, tmp_path)


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
def test_a_port_that_is_none(tmp_path: Path, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        read_settings(["--port", port], {}, tmp_path)
    assert port in capsys.readouterr().err


def test_help_has_examples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        read_settings(["--help"], {}, tmp_path)
    shown = capsys.readouterr().out
    assert "python -m estiva_server --entry-script score.py --port 8080" in shown
    assert "SIGHUP" in shown


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        ([], "."),
        (["azureml-models"], "azureml-models"),
        (["azureml-models/iris/1"], "azureml-models/iris/1"),
        (["azureml-models/iris/1", "azureml-models/iris/2"], "azureml-models"),
        (["azureml-models/iris/1", "azureml-models/rose/1"], "azureml-models"),
    ],
)
def test_the_model_folder_is_found(tmp_path: Path, folders: list[str], found: str) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    assert find_model_dir(tmp_path) == found


def test_the_documented_variables_are_those_that_are_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scoring-contract.md").read_text()
    section = page.partition("## Variables")[2].partition("## ")[0]
    documented = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert documented == {value for name, value in vars(contract).items() if name.endswith("_VARIABLE")}
