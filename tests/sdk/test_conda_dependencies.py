from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.errors import UserErrorException
from estiva.sdk.conda_dependencies import CondaDependencies
from estiva.specification import parse_conda

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"

COMMENTED = """\
# of the team
name: project
channels:
- conda-forge
dependencies:
- python=3.10   # as in training
- numpy=1.26
- scipy   # solver
- pip:
  - --pre
  - azureml-defaults   # the server
  - scikit-learn==1.3.0   # pickled with it
  - pandas
variables:
  RATIO: 1.10
"""


@pytest.fixture
def commented(tmp_path: Path) -> CondaDependencies:
    file = tmp_path / "project.yml"
    file.write_text(COMMENTED)
    return CondaDependencies(file)


def test_without_a_file_it_is_the_running_python_and_the_server() -> None:
    made = CondaDependencies()
    assert made.get_python_version() == RUNNING
    assert list(made.pip_packages) == ["azureml-defaults"]
    assert list(made.conda_packages) == []


def test_create_with_packages_takes_exactly_those() -> None:
    made = CondaDependencies.create(
        pip_indexurl="https://packages.example.org/simple",
        pip_packages=["scikit-learn==1.3.0", "joblib"],
        conda_packages=["numpy=1.26", "numpy=1.26"],
        python_version="3.11",
    )
    assert list(made.pip_packages) == ["scikit-learn==1.3.0", "joblib"]
    assert list(made.pip_options) == ["--index-url https://packages.example.org/simple"]
    assert list(made.conda_packages) == ["numpy=1.26"]
    assert made.get_python_version() == "3.11"


def test_create_without_packages_keeps_the_defaults() -> None:
    assert list(CondaDependencies.create().pip_packages) == ["azureml-defaults"]
    assert list(CondaDependencies.create(pip_packages=[]).pip_packages) == []


def test_a_python_among_the_conda_packages_is_the_python_version() -> None:
    made = CondaDependencies.create(conda_packages=["python=3.9", "numpy"])
    assert made.get_python_version() == "3.9"
    assert parse_conda(made.serialize_to_string(), name="e").python_version == "3.9"


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("python", None),
        ("python=3.11", "3.11"),
        ("python==3.11.7", "3.11.7"),
        ("python 3.11", "3.11"),
        ("conda-forge::python=3.11", "3.11"),
        ("python>=3.9,<3.12", ">=3.9,<3.12"),
        ("python-dateutil=2.9", None),
    ],
)
def test_the_python_version_in_every_notation(tmp_path: Path, written: str, version: str | None) -> None:
    file = tmp_path / "e.yml"
    file.write_text(f"dependencies:\n- {written}\n")
    read = CondaDependencies(file)
    assert read.get_python_version() == version
    read.set_python_version("3.12")
    assert parse_conda(read.serialize_to_string(), name="e").python_version == "3.12"


def test_a_file_is_written_back_as_it_was(commented: CondaDependencies) -> None:
    assert commented.serialize_to_string() == COMMENTED


def test_comments_stay_beside_what_they_explain(commented: CondaDependencies) -> None:
    commented.set_python_version("3.11")
    commented.remove_conda_package("numpy=1.26")
    commented.remove_pip_package("azureml_defaults")
    commented.remove_pip_option("--pre")
    commented.add_conda_package("pillow")
    commented.add_channel("anaconda")
    text = " ".join(commented.serialize_to_string().split())
    assert text == (
        "# of the team name: project channels: - conda-forge - anaconda dependencies: "
        "- python=3.11 # as in training - scipy # solver - pillow - pip: "
        "- scikit-learn==1.3.0 # pickled with it - pandas variables: RATIO: 1.10"
    )


def test_a_requirement_replaces_that_of_the_same_project(commented: CondaDependencies) -> None:
    commented.add_pip_package("Scikit_Learn[all]==1.5.0")
    assert list(commented.pip_packages) == ["azureml-defaults", "pandas", "Scikit_Learn[all]==1.5.0"]


def test_an_option_replaces_the_same_option(commented: CondaDependencies) -> None:
    commented.set_pip_option("--index-url https://a.example.org/simple")
    commented.set_pip_index_url("https://b.example.org/simple")
    commented.set_pip_index_url("--index-url=https://c.example.org/simple")
    assert list(commented.pip_options) == ["--index-url=https://c.example.org/simple", "--pre"]


def test_set_pip_requirements_is_exact(commented: CondaDependencies) -> None:
    commented.set_pip_requirements(["joblib"])
    assert (list(commented.pip_packages), list(commented.pip_options)) == (["joblib"], [])


def test_channels(commented: CondaDependencies) -> None:
    commented.add_channel("conda-forge")
    commented.remove_channel("unknown")
    assert list(commented.conda_channels) == ["conda-forge"]
    commented.remove_channel("conda-forge")
    assert list(commented.conda_channels) == []


@pytest.mark.parametrize(
    "text", ["name: e\n", "name: e\nchannels:\ndependencies:\n", "dependencies: [pip: ]"]
)
def test_what_has_no_value_can_be_filled(tmp_path: Path, text: str) -> None:
    file = tmp_path / "e.yml"
    file.write_text(text)
    read = CondaDependencies(file)
    read.add_channel("conda-forge")
    read.add_conda_package("numpy")
    read.add_pip_package("joblib")
    parsed = parse_conda(read.serialize_to_string(), name="e")
    assert (parsed.channels, parsed.conda_packages, parsed.pip_packages) == (
        ("conda-forge",),
        ("numpy",),
        ("joblib",),
    )


def test_what_is_refused_says_what_to_do_instead(commented: CondaDependencies, tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match="use set_pip_option"):
        commented.add_pip_package("--pre")
    with pytest.raises(UserErrorException, match="use set_python_version to change it"):
        commented.remove_conda_package("python")
    with pytest.raises(UserErrorException, match="is a folder: give the path of a file"):
        commented.save(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"dependencies: numpy", "line 1, column 15: dependencies is a list"),
        (b"a: b: c", "line 1, column 5: not YAML"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"", "the file is empty"),
    ],
)
def test_a_file_that_is_no_specification(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "e.yml"
    file.write_bytes(content)
    with pytest.raises(UserErrorException, match=said) as caught:
        CondaDependencies(file)
    assert str(file) in caught.value.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match=r"no\.yml cannot be read: No such file"):
        CondaDependencies(tmp_path / "no.yml")


def test_saving(commented: CondaDependencies, tmp_path: Path) -> None:
    path = commented.save(tmp_path / "saved.yml")
    assert Path(path).read_text() == COMMENTED
    assert commented.save_to_file(tmp_path) == "conda_dependencies.yml"
    assert (tmp_path / "conda_dependencies.yml").read_text() == COMMENTED


def test_saving_needs_a_python(tmp_path: Path) -> None:
    (tmp_path / "e.yml").write_text("dependencies: [numpy]")
    with pytest.raises(UserErrorException, match="names no Python: use set_python_version"):
        CondaDependencies(tmp_path / "e.yml").save(tmp_path / "saved.yml")
    assert not (tmp_path / "saved.yml").exists()


projects = st.from_regex(r"[a-z][a-z0-9]{0,8}([._-][a-z0-9]{1,4})?", fullmatch=True)


@given(st.lists(st.tuples(st.booleans(), projects)))
def test_adding_and_removing_keeps_each_project_once(changes: list[tuple[bool, str]]) -> None:
    made = CondaDependencies()
    expected = {"azureml-defaults"}
    for adds, project in changes:
        name = project.replace(".", "-").replace("_", "-")
        if adds:
            made.add_pip_package(f"{project}==1.0")
            expected.add(name)
        else:
            made.remove_pip_package(project)
            expected.discard(name)
    found = [item.partition("==")[0].replace(".", "-").replace("_", "-") for item in made.pip_packages]
    assert sorted(found) == sorted(expected)
