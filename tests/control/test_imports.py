from __future__ import annotations

import sys
from pathlib import Path

import pytest

from estiva.control.imports import environment, imported
from estiva.records import Code, DeploymentSpec, EnvironmentSpecification
from estiva.registry.blobs import Blobs
from estiva.registry.trees import ingest

RAW, SCHEMA = "werkzeug>=2,<4", "inference-schema>=1.8,<2"
DEBUGGER = "debugpy>=1.8,<2"
BOTH = "from inference_schema.schema_decorators import input_schema\nfrom estiva_server import rawhttp\n"


def packages(folder: Path, *scripts: str, **asked: object) -> tuple[str, ...]:
    """The pip packages of a deployment with these scripts, in an environment as asked."""
    source = folder / "source"
    source.mkdir()
    for number, script in enumerate(scripts):
        (source / f"part{number}.py").write_text(script)
    blobs = Blobs(folder / "blobs")
    spec = DeploymentSpec(
        models=(),
        code=Code(tree=ingest(blobs, source, keep_root=True), entry_script="source/part0.py", entry_path=""),
        environment=EnvironmentSpecification.model_validate({"name": "e", **asked}),
        interpreter=sys.executable,
    )
    return environment(blobs, spec).pip_packages


@pytest.mark.parametrize(
    ("script", "implied"),
    [
        ("import json, numpy", ()),
        ("import azureml.core.model", ()),
        ("import ptvsd; ptvsd.enable_attach(address=('0.0.0.0', 5678))", (DEBUGGER,)),
        ("def init():\n    import debugpy", (DEBUGGER,)),
        ("from estiva_server import batched", ()),
        ("from azureml.contrib.services.aml_request import rawhttp", (RAW,)),
        ("from azureml.contrib.services.aml_response import AMLResponse", (RAW,)),
        ("import azureml.contrib.services.aml_request as raw", (RAW,)),
        ("from azureml_inference_server_http.api.aml_request import AMLRequest", (RAW,)),
        ("from estiva_server import AMLRequest, rawhttp", (RAW,)),
        ("from inference_schema.schema_decorators import input_schema", (SCHEMA,)),
        ("def init():\n    import inference_schema", (SCHEMA,)),
        ("from .inference_schema import mine", ()),
        (BOTH, (SCHEMA, RAW)),
        ("this is no Python", ()),
    ],
)
def test_what_a_script_takes_by_what_it_imports(
    tmp_path: Path, script: str, implied: tuple[str, ...]
) -> None:
    assert packages(tmp_path, script, pip_packages=["azureml-defaults"]) == ("azureml-defaults", *implied)


def test_modules_beside_the_script_count(tmp_path: Path) -> None:
    assert packages(tmp_path, "import part1", BOTH) == (SCHEMA, RAW)


@pytest.mark.parametrize(
    "asked",
    [
        {"pip_packages": ("Werkzeug==2.3.7", "inference_schema[numpy-support]")},
        {"pip_packages": ("werkzeug",), "conda_packages": ("inference-schema=1.7",)},
    ],
)
def test_what_the_environment_names_itself_is_left_to_it(tmp_path: Path, asked: dict[str, object]) -> None:
    assert packages(tmp_path, BOTH, **asked) == asked["pip_packages"]


def test_a_borrowed_environment_is_used_as_it_is(tmp_path: Path) -> None:
    assert packages(tmp_path, BOTH, borrowed_from=sys.executable) == ()


def test_names_at_any_depth() -> None:
    source = b"import a.b\nfrom c.d import e as f\ntry:\n    import g\nexcept ImportError:\n    g = None\n"
    assert imported(source) == {"a.b", "c.d.e", "g"}
