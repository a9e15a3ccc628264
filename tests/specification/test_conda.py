"""Conda specifications as users write them, right and wrong."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.errors import UserErrorException
from estiva.records import EnvironmentSpecification
from estiva.specification import dump_conda, parse_conda

WHOLE = """\
name: project_environment
channels:
  - conda-forge
  - anaconda
dependencies:
  - python=3.10
  - numpy=1.26
  - conda-forge::scipy>=1.10,<2
  - pip=23
  - pip:
      - --extra-index-url https://packages.example.org/simple
      - azureml-defaults
      - scikit-learn==1.3.0   # as in training
variables:
  THREADS: 4
  RATIO: 1.10
  LABEL: "yes"
prefix: /opt/conda/envs/project_environment
"""


def refused(text: str) -> str:
    with pytest.raises(UserErrorException) as caught:
        parse_conda(text, name="myenv", source="myenv.yml")
    assert caught.value.code == "SpecificationInvalid"
    return caught.value.message


def test_a_whole_file() -> None:
    assert parse_conda(WHOLE, name="myenv") == EnvironmentSpecification(
        name="myenv",
        python_version="3.10",
        conda_packages=("numpy=1.26", "conda-forge::scipy>=1.10,<2"),
        pip_packages=("azureml-defaults", "scikit-learn==1.3.0"),
        pip_options=("--extra-index-url https://packages.example.org/simple",),
        channels=("conda-forge", "anaconda"),
        variables={"THREADS": "4", "RATIO": "1.10", "LABEL": "yes"},
    )


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    assert parse_conda("\ufeff" + WHOLE.replace("\n", "\r\n"), name="e") == parse_conda(WHOLE, name="e")


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("python", None),
        ("python=3", "3"),
        ("python=3.11", "3.11"),
        ("python=3.11.*", "3.11"),
        ("python==3.11.7", "3.11.7"),
        ("python=3.11.7=h955ad1f_0", "3.11.7"),
        ("python 3.11", "3.11"),
        ("conda-forge::python=3.11", "3.11"),
        ("python>=3.9, <3.12", ">=3.9,<3.12"),
    ],
)
def test_the_python_version(line: str, version: str | None) -> None:
    assert parse_conda(f"dependencies: [{line!r}]", name="e").python_version == version


def test_keys_without_values_count_as_empty() -> None:
    text = "name:\nchannels:\ndependencies:\n  - pip:\nvariables:\n"
    assert parse_conda(text, name="e") == EnvironmentSpecification(name="e")


def test_an_alias_is_what_it_stands_for() -> None:
    text = "channels: [&forge conda-forge]\ndependencies: [numpy]\nvariables: {CHANNEL: *forge}"
    assert parse_conda(text, name="e").variables == {"CHANNEL": "conda-forge"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "myenv.yml: the file is empty; it needs at least `dependencies:`."),
        ("just words", "line 1, column 1: A conda specification is a mapping (`key: value`), not just"),
        ("a: b: c", "myenv.yml, line 1, column 5: not YAML: mapping values are not allowed here."),
        ("dependencies:\n\t- numpy", "line 2, column 1: not YAML: there is a tab; indent with spaces."),
        ("name: 'a", "line 1, column 9: not YAML: found unexpected end of stream."),
        ("name: a\x00", "myenv.yml: not YAML: unacceptable character #x0000"),
        ("name: *missing", "not YAML: found undefined alias 'missing'."),
        ("name: a\n---\nname: b", "myenv.yml, line 2, column 1: not YAML: but found another document."),
        ("[" * 5000, "nested too deeply"),
        ("x" * 1_000_001, "is this the right file?"),
        ("name: a\ndependancies: []", 'line 2, column 1: unknown key "dependancies"; did you mean "dep'),
        ("name: a\nfoo: 1", 'unknown key "foo". Known are: name, channels, dependencies, prefix, variables.'),
        ("name: a\nchannels: []\nname: b", 'line 3, column 1: "name" is given twice; it already stands in'),
        ("dependencies: numpy", "line 1, column 15: dependencies is a list (lines that begin with `- `)"),
        ("dependencies:\n- 1.26", "line 2, column 3: a dependency is a text, not 1.26 (float;"),
        ("dependencies:\n- numpy: 1.26", 'line 2, column 3: "numpy:" is not a dependency; write `- numpy=1'),
        ("dependencies:\n- [numpy]", "a dependency is a text, not a list."),
        ("dependencies: &a [*a]", "a dependency is a text, not a list."),
        ("dependencies:\n- python=3.10\n- python=3.11", "line 3, column 3: Python is given twice; keep one"),
        ("dependencies: [python=three]", 'line 1, column 16: "==three" is not a Python version; write'),
        ("dependencies: ['numpy[version=1]']", '"numpy[version=1]" is not a package in conda\'s notation'),
        ("dependencies:\n- pip: numpy", "line 2, column 8: pip is a list"),
        ("dependencies:\n- pip:\n  - -r requirements.txt", 'line 3, column 5: "-r requirements.txt" names'),
        ("dependencies:\n- pip:\n  - numpy=1.26", 'line 3, column 5: "numpy=1.26" is not a requirement'),
        ("dependencies:\n- pip:\n  - numpy 1.26", 'Did you mean "numpy==1.26"?'),
        ("variables: {A: }", 'the variable A has no value; write A: "" for an empty one.'),
        ("variables: {A: [1]}", "the variable A is a text, not a list."),
        ("variables: {A: !env x}", "the variable A is a text, not x (!env;"),
        ("variables: {A=B: x}", '"A=B" cannot be the name of an environment variable.'),
        ("!!python/object/apply:os.system [id]", "A conda specification is a mapping"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_at_its_place(text: str, message: str) -> None:
    assert message in refused(text)


names = st.from_regex(r"[a-z_][a-z0-9_.-]{0,12}", fullmatch=True)
versions = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}", fullmatch=True)
conda_packages = st.builds(
    "{}{}{}".format,
    names.filter(lambda name: name not in ("python", "pip")),
    st.sampled_from(["=", "==", ">="]),
    versions,
)
pip_packages = st.builds("{}=={}".format, st.from_regex(r"[a-z][a-z0-9]{0,12}", fullmatch=True), versions)
characters = st.characters(exclude_categories=["Cs", "Cc", "Cn"])
specifications = st.builds(
    EnvironmentSpecification,
    name=st.text(characters, min_size=1),
    python_version=st.none() | st.sampled_from(["3", "3.11", "3.11.7", ">=3.9,<3.12"]),
    conda_packages=st.lists(conda_packages).map(tuple),
    pip_packages=st.lists(pip_packages).map(tuple),
    pip_options=st.lists(st.sampled_from(["--pre", "--index-url https://packages.example.org/s?a=b&c"])).map(
        tuple
    ),
    channels=st.lists(st.text(characters, min_size=1)).map(tuple),
    variables=st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True), st.text(characters)),
)


@given(specifications)
def test_what_is_written_reads_back_the_same(spec: EnvironmentSpecification) -> None:
    assert parse_conda(dump_conda(spec), name=spec.name) == spec


@given(st.text() | st.text("name:chdpit-[]{}&*!'\"\n \t#=<>,|%@`"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UserErrorException):
        assert parse_conda(text, name="e").name == "e"
