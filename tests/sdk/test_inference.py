"""The checks of an inference configuration: those of SDK v1, in its order, each with what to change."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from estiva.errors import EstivaError, UserErrorException, WebserviceException
from estiva.sdk.environment import Environment
from estiva.sdk.inference import InferenceConfig

SCRIPT = "def init():\n    pass\n\ndef run(data):\n    return data\n"


@pytest.fixture(autouse=True)
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "score.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(kind: type[EstivaError], **arguments: Any) -> EstivaError:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(kind) as caught:
            InferenceConfig(**arguments)
    assert type(caught.value) is kind
    return caught.value


def test_an_entry_script_is_looked_up_from_the_current_folder(current_folder: Path) -> None:
    config = InferenceConfig("score.py", description="mine")
    assert (config.entry_path.absolute(), config.description) == (current_folder / "score.py", "mine")


def test_with_a_source_directory_it_is_looked_up_there(current_folder: Path) -> None:
    (current_folder / "source/inner").mkdir(parents=True)
    (current_folder / "source/inner/score.py").write_text(SCRIPT)
    (current_folder / "link").symlink_to("source")
    config = InferenceConfig("inner/score.py", source_directory="link")
    assert config.source_directory == str(current_folder / "source")
    assert config.entry_path == current_folder / "source/inner/score.py"


def test_the_environment_is_used_live_not_copied() -> None:
    environment = Environment("mine")
    assert InferenceConfig("score.py", environment=environment).environment is environment


def test_parameters_come_in_the_order_of_sdk_v1(current_folder: Path) -> None:
    with pytest.warns(DeprecationWarning, match="runtime, enable_gpu: deprecated"):
        config = InferenceConfig("score.py", "python", None, None, str(current_folder), False, "mine")
    assert (config.runtime, config.enable_gpu, config.description) == ("python", False, "mine")


def test_a_warning_names_the_caller_s_line() -> None:
    with pytest.warns(DeprecationWarning, match="runtime: deprecated") as caught:
        InferenceConfig("score.py", runtime="python")
    assert caught[0].filename == __file__


@pytest.mark.parametrize("given", [{"conda_file": "e.yml"}, {"conda_file": "e.yml", "runtime": "python"}])
def test_a_conda_file_becomes_an_environment(current_folder: Path, given: dict[str, str]) -> None:
    (current_folder / "e.yml").write_text("dependencies: [python=3.10, {pip: [joblib]}]")
    with pytest.warns(DeprecationWarning, match="use an Environment instead"):
        config = InferenceConfig("score.py", **given)  # type: ignore[arg-type]
    assert config.environment is not None
    assert config.environment.to_specification().pip_packages == ("joblib",)


# Each has every mistake of the ones below it as well, so that the order is seen.
IN_ORDER: list[tuple[dict[str, Any], type[EstivaError], str, str]] = [
    ({"entry_script": ""}, WebserviceException, "EntryScriptMissing", "entry_script is empty"),
    (
        {"environment": Environment("mine")},
        WebserviceException,
        "EnvironmentMixed",
        "environment cannot be combined with runtime, conda_file, extra_docker_file_steps, cuda_version",
    ),
    ({"source_directory": "missing"}, WebserviceException, "SourceDirectoryNotFound", "/missing does not"),
    ({"entry_script": "missing.py"}, WebserviceException, "EntryScriptNotFound", "relative to the current"),
    ({"entry_script": "score.txt"}, WebserviceException, "EntryScriptName", "its name must end in .py"),
    ({"entry_script": "score-numpy.py"}, WebserviceException, "EntryScriptName", "to score_numpy.py."),
    ({"runtime": "ruby"}, WebserviceException, "RuntimeInvalid", "'ruby' is not one of spark-py, python,"),
    ({"cuda_version": "1"}, WebserviceException, "RuntimeInvalid", "cuda_version '1' is not one of 9.0"),
    ({"conda_file": "no.yml"}, WebserviceException, "FileNotFound", "conda_file 'no.yml' was not found"),
    (
        {"extra_docker_file_steps": "no"},
        WebserviceException,
        "FileNotFound",
        "extra_docker_file_steps 'no' was",
    ),
    ({"entry_script": "broken.py"}, UserErrorException, "ScriptSyntax", "broken.py, line 1, column 7: inv"),
]


@pytest.mark.parametrize("place", range(len(IN_ORDER)))
def test_the_first_mistake_is_the_one_that_is_told(current_folder: Path, place: int) -> None:
    (current_folder / "broken.py").write_text("def f(:\n")
    for name in ("score.txt", "score-numpy.py"):
        (current_folder / name).write_text("def f(:\n")
    arguments: dict[str, Any] = {}
    for mistake, *_ in reversed(IN_ORDER[place:]):
        arguments.update(mistake)
    _, kind, code, said = IN_ORDER[place]
    error = refused(kind, **{"entry_script": "broken.py", **arguments})
    assert (error.code, said in error.message) == (code, True), error.message


def test_deprecated_parameters_warn_even_if_something_else_is_wrong() -> None:
    with (
        pytest.warns(DeprecationWarning, match="base_image: deprecated"),
        pytest.raises(WebserviceException, match="entry_script is empty"),
    ):
        InferenceConfig("", base_image="x")


@pytest.mark.parametrize(("name", "better"), [("class.py", "score_class"), ("1st.py", "score_1st")])
def test_a_name_that_cannot_be_imported(current_folder: Path, name: str, better: str) -> None:
    (current_folder / name).write_text(SCRIPT)
    assert (
        f"Rename it, for example to {better}.py." in refused(WebserviceException, entry_script=name).message
    )


def test_an_entry_script_outside_of_its_source_directory(current_folder: Path) -> None:
    (current_folder / "source").mkdir()
    error = refused(WebserviceException, entry_script="../score.py", source_directory="source")
    assert error.code == "EntryScriptOutside"
    assert "Give its path relative to that folder." in error.message


def test_a_folder_is_no_entry_script(current_folder: Path) -> None:
    (current_folder / "folder.py").mkdir()
    assert refused(WebserviceException, entry_script="folder.py").code == "EntryScriptNotFound"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x = (1,\n", r"line 1, column 5: '\(' was never closed\.\n    x = \(1,$"),
        (b"x = '\xff'\n", "line 1, .*'utf-8' codec can't decode"),
        (b"a\0b", "null bytes"),
        (b"# -*- coding: nonsense -*-\n", r"broken\.py: unknown encoding: nonsense\.$"),
    ],
)
def test_what_is_not_python(current_folder: Path, content: bytes, said: str) -> None:
    (current_folder / "broken.py").write_bytes(content)
    with pytest.raises(UserErrorException, match=said):
        InferenceConfig("broken.py")


def test_what_python_only_warns_of_is_accepted_in_silence(current_folder: Path) -> None:
    (current_folder / "score.py").write_text(SCRIPT + 'PATTERN = "\\d"\n')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        InferenceConfig("score.py")
