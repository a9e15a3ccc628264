from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.errors import UserErrorException
from estiva.messages import DeploymentRequest
from estiva.records import EnvironmentSpecification
from estiva.sdk.environment import CondaDependencies, Environment

YAML = """\
name: from-the-file
dependencies:
- python=3.10   # as in training
- pip:
  - azureml-defaults
variables:
  RATIO: 1.10
  FLAG: true
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "environment.yml"
    path.write_text(YAML)
    return path


def test_from_a_conda_specification(file: Path) -> None:
    environment = Environment.from_conda_specification("mine", file)
    assert (environment.name, environment.version) == ("mine", None)
    assert environment.python.conda_dependencies.serialize_to_string() == YAML
    assert environment.to_specification() == EnvironmentSpecification(
        name="mine",
        python_version="3.10",
        pip_packages=("azureml-defaults",),
        variables={"RATIO": "1.10", "FLAG": "true"},
    )


def test_variables_are_as_they_are_written_in_the_file(file: Path) -> None:
    environment = Environment.from_conda_specification("mine", file)
    assert environment.environment_variables == {"RATIO": "1.10", "FLAG": "true"}


def test_variables_of_the_object_win_and_become_text(file: Path) -> None:
    environment = Environment.from_conda_specification("mine", file)
    environment.environment_variables = {"RATIO": 2, "MORE": "x"}  # type: ignore[dict-item]
    assert environment.to_specification().variables == {"RATIO": "2", "FLAG": "true", "MORE": "x"}


def test_a_specification_that_is_wrong_names_the_place(file: Path) -> None:
    file.write_text("name: e\ndependancies: []\n")
    with pytest.raises(UserErrorException, match='line 2, column 1: unknown key "dependancies"; did you'):
        Environment.from_conda_specification("mine", file)


def test_from_pip_requirements(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("--extra-index-url https://packages.example.org/simple\nnumpy>=1.26  # arrays\njoblib\n")
    environment = Environment.from_pip_requirements("mine", file)
    assert environment.to_specification() == EnvironmentSpecification(
        name="mine",
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        pip_options=("--extra-index-url https://packages.example.org/simple",),
        pip_packages=("numpy>=1.26", "joblib"),
    )


def test_pip_requirements_that_are_wrong_name_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("joblib\nnumpy=1.26\n")
    with pytest.raises(UserErrorException, match=r'requirements\.txt, line 2: "numpy=1\.26" is not a req'):
        Environment.from_pip_requirements("mine", file)


def test_the_version_of_pip_may_be_chosen(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("joblib\n")
    made = Environment.from_pip_requirements("mine", file, pip_version="24.0")
    assert list(made.python.conda_dependencies.conda_packages) == ["pip=24.0"]


def test_a_misspelt_setting_is_an_error() -> None:
    environment = Environment("mine")
    with pytest.raises(AttributeError, match="Environment has no attribute 'enviroment_variables'; it has "):
        environment.enviroment_variables = {}
    with pytest.raises(AttributeError, match="DockerSection has no attribute 'baseimage'"):
        environment.docker.baseimage = "x"
    with pytest.raises(AttributeError, match="PythonSection has no attribute 'conda'"):
        environment.python.conda = CondaDependencies()


def test_a_name_is_text() -> None:
    with pytest.raises(TypeError, match="is text, not int"):
        Environment(3)  # type: ignore[arg-type]


def test_the_last_of_image_and_dockerfile_wins(tmp_path: Path) -> None:
    docker = Environment("mine").docker
    docker.base_image = "python:3.11-slim"
    docker.base_dockerfile = "FROM python:3.12-slim\n"
    assert [docker.base_image, docker.base_dockerfile] == [None, "FROM python:3.12-slim\n"]
    docker.base_image = "python:3.11-slim"
    assert (docker.base_image, docker.base_dockerfile) == ("python:3.11-slim", None)


def test_a_dockerfile_is_its_text_its_path_or_an_open_file(tmp_path: Path) -> None:
    text = "FROM python:3.12-slim\nRUN true\n"
    path = tmp_path / "Dockerfile"
    path.write_text(text)
    docker = Environment("mine").docker
    for given_as in (text, path, str(path), io.StringIO(text)):
        docker.base_dockerfile = given_as
        assert docker.base_dockerfile == text
    docker.base_dockerfile = "FROM " + "a" * 5000
    assert docker.base_dockerfile == "FROM " + "a" * 5000


def test_dependencies_that_the_user_manages_are_those_of_an_interpreter() -> None:
    environment = Environment("mine")
    assert environment.to_specification().borrowed_from is None
    environment.python.user_managed_dependencies = True
    assert environment.to_specification().borrowed_from == sys.executable
    environment.python.interpreter_path = "/opt/python/bin/python"
    assert environment.to_specification().borrowed_from == "/opt/python/bin/python"


def whole(folder: Path) -> Environment:
    environment = Environment.from_conda_specification("mine", folder / "environment.yml")
    environment.environment_variables["UMLAUT"] = "grün"
    environment.docker.base_dockerfile = "FROM python:3.12-slim\n# für alle\n"
    environment.inferencing_stack_version = "latest"
    return environment


def test_a_saved_environment_loads_as_it_was(file: Path, tmp_path: Path) -> None:
    environment = whole(file.parent)
    environment.save_to_directory(tmp_path / "saved")
    names = sorted(path.name for path in (tmp_path / "saved").iterdir())
    assert names == ["BaseDockerfile", "azureml_environment.json", "conda_dependencies.yml"]
    loaded = Environment.load_from_directory(tmp_path / "saved")
    assert repr(loaded) == repr(environment)
    assert loaded.to_specification() == environment.to_specification()
    assert "# as in training" in loaded.python.conda_dependencies.serialize_to_string()


def test_saving_replaces_a_folder_only_when_told_and_then_whole(file: Path, tmp_path: Path) -> None:
    whole(file.parent).save_to_directory(tmp_path / "saved")
    plain = Environment("plain")
    with pytest.raises(FileExistsError):
        plain.save_to_directory(tmp_path / "saved")
    plain.save_to_directory(tmp_path / "saved", overwrite=True)
    loaded = Environment.load_from_directory(tmp_path / "saved")
    assert loaded.to_specification() == plain.to_specification()


def test_a_folder_without_a_definition_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Environment.load_from_directory(tmp_path)


def test_a_definition_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "azureml_environment.json").write_text("{")
    with pytest.raises(UserErrorException, match=r"azureml_environment\.json is no definition of an envir"):
        Environment.load_from_directory(tmp_path)


def test_the_text_form_is_sorted_json_in_camel_case() -> None:
    environment = Environment("mine")
    shown = json.loads(repr(environment))
    assert list(shown) == sorted(shown)
    assert shown["python"]["condaDependencies"]["dependencies"][1] == {"pip": ["azureml-defaults"]}
    assert {"environmentVariables", "inferencingStackVersion", "docker"} <= set(shown)


def test_a_clone_is_independent_and_has_no_version(file: Path) -> None:
    original = Environment.from_conda_specification("mine", file)
    original.version = "3"
    copied = original.clone("yours")
    copied.python.conda_dependencies.add_pip_package("joblib")
    copied.environment_variables.pop("FLAG")
    assert (copied.name, copied.version) == ("yours", None)
    assert copied.to_specification().variables == {"RATIO": "1.10"}
    assert original.to_specification().pip_packages == ("azureml-defaults",)
    assert original.environment_variables == {"RATIO": "1.10", "FLAG": "true"}


specifications = st.builds(
    EnvironmentSpecification,
    name=st.just("mine"),
    python_version=st.sampled_from([None, "3.11", "3.11.7", ">=3.9,<3.12"]),
    conda_packages=st.sampled_from([(), ("numpy=1.26",)]),
    pip_packages=st.sampled_from([(), ("joblib", "scikit-learn==1.3.0")]),
    pip_options=st.sampled_from([(), ("--pre",)]),
    channels=st.sampled_from([(), ("conda-forge",)]),
    variables=st.dictionaries(
        st.from_regex(r"[A-Z]{1,4}", fullmatch=True), st.text(st.characters(codec="utf-8"))
    ),
    borrowed_from=st.sampled_from([None, "/opt/python/bin/python"]),
    base_image=st.sampled_from([None, "python:3.11"]),
)


@given(specifications)
def test_the_registry_s_record_comes_back_as_it_was(found: EnvironmentSpecification) -> None:
    assert Environment.from_specification(found).to_specification() == found


def test_a_registrys_password_travels_with_a_deployment_and_nowhere_else() -> None:
    environment = Environment("mine")
    environment.docker.base_image = "team/base:1"
    environment.docker.base_image_registry.address = "registry.example.org"
    environment.docker.base_image_registry.username = "ana"
    environment.docker.base_image_registry.password = "s3cr3t"
    environment.docker.platform.architecture = "arm64"
    specification = environment.to_specification()

    assert "s3cr3t" not in specification.model_dump_json() + repr(environment) + repr(specification)
    sent = DeploymentRequest(environment=specification, interpreter="python").body()
    assert sent["environment"]["base_image_registry"]["password"] == "s3cr3t"
    again = Environment.from_specification(specification).docker
    assert again.base_image_registry.address == "registry.example.org"
    assert again.platform.to_text() == "linux/arm64"
    with pytest.raises(AttributeError, match="ContainerRegistry has no attribute 'user'"):
        environment.docker.base_image_registry.user = "ana"


def test_the_resolver_is_kept_and_checked(file: Path, tmp_path: Path) -> None:
    environment = Environment.from_conda_specification("mine", file)
    assert environment.to_specification().resolver == "auto"
    environment.python.resolver = "conda"
    assert Environment.from_specification(environment.to_specification()).python.resolver == "conda"
    environment.save_to_directory(tmp_path / "saved")
    assert Environment.load_from_directory(tmp_path / "saved").python.resolver == "conda"
    environment.python.resolver = "mamba"  # type: ignore[assignment]
    with pytest.raises(UserErrorException, match="choose one of auto, conda, pypi"):
        environment.to_specification()
