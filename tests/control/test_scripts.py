from __future__ import annotations

import sys
from pathlib import Path

import pytest

from estiva.control.scripts import check_syntax, syntax_error
from estiva.errors import WebserviceException
from estiva.records import Code, DeploymentSpec, EnvironmentSpecification
from estiva.registry.blobs import Blobs
from estiva.registry.trees import ingest

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"
BROKEN = "def init():\n    pass\n\n\ndef run(data)\n    return data\n"


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def spec(blobs: Blobs, folder: Path, script: str, **environment: str) -> DeploymentSpec:
    path = folder / "score.py"
    path.write_text(script)
    return DeploymentSpec(
        models=(),
        code=Code(tree=ingest(blobs, path, keep_root=True), entry_script="score.py", entry_path=str(path)),
        environment=EnvironmentSpecification.model_validate({"name": "tests", **environment}),
        interpreter=sys.executable,
    )


@pytest.mark.parametrize(
    "environment",
    [{"python_version": OURS}, {"python_version": f"{OURS}.1"}, {"borrowed_from": sys.executable}, {}],
)
def test_a_script_that_this_python_cannot_read(
    blobs: Blobs, tmp_path: Path, environment: dict[str, str]
) -> None:
    with pytest.raises(WebserviceException) as caught:
        check_syntax(blobs, spec(blobs, tmp_path, BROKEN, **environment))
    assert caught.value.code == "SyntaxError"
    assert caught.value.message.startswith("score.py, line 5, column 14: ")
    assert caught.value.detail == "def run(data)\n             ^"


@pytest.mark.parametrize("version", ["2.7", "3", ">=3.8"])
def test_of_another_python_nothing_is_known(blobs: Blobs, tmp_path: Path, version: str) -> None:
    check_syntax(blobs, spec(blobs, tmp_path, BROKEN, python_version=version))


def test_another_interpreter_may_be_another_python(blobs: Blobs, tmp_path: Path) -> None:
    check_syntax(blobs, spec(blobs, tmp_path, BROKEN, borrowed_from="/nowhere/bin/python"))


def test_a_script_that_python_only_warns_of(blobs: Blobs, tmp_path: Path) -> None:
    check_syntax(blobs, spec(blobs, tmp_path, 'PATTERN = "\\d"\n'))


@pytest.mark.parametrize("source", [b"x = '\xff'\n", b"x = 1\x00\n"])
def test_what_is_no_text(source: bytes) -> None:
    assert syntax_error(source, "score.py") is not None
