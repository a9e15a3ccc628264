"""What is planned, whole: texts and digests."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest

from estiva.errors import UserErrorException
from estiva.images import dockerfile, planning
from estiva.images.context import write_tar
from estiva.images.records import BaseImage, ContextFile, Interpreter, Packages, Plan
from tests.images.conftest import code, content

DEBIAN = BaseImage(reference="debian:12", image_id="sha256:1")

MODEL = ContextFile(path="azureml-models/iris/1/model.pkl", text="model")


def plan(**changes: object) -> Plan:
    return planning.plan_image(DEBIAN, content(**changes))


def digests(planned: Plan) -> dict[str, str]:
    return {layer.name: layer.digest for layer in planned.layers}


def test_a_change_of_the_code_changes_the_code_layer_alone() -> None:
    before, after = digests(plan(models=(MODEL,))), digests(plan(models=(MODEL,), code=(code("other"),)))

    assert {name for name in before if before[name] != after[name]} == {"code"}


def test_a_change_of_the_models_leaves_the_environment() -> None:
    other = MODEL.model_copy(update={"text": "another model"})

    before, after = digests(plan(models=(MODEL,))), digests(plan(models=(other,)))

    assert {name for name in before if before[name] != after[name]} == {"models", "code"}


def test_another_base_image_changes_all() -> None:
    newer = DEBIAN.model_copy(update={"image_id": "sha256:2"})

    before, after = digests(plan()), digests(planning.plan_image(newer, content()))

    assert all(before[name] != after[name] for name in before)


def test_tools_and_certificates_are_no_part_of_what_an_image_is(tmp_path: Path) -> None:
    tools = content().tools.model_copy(update={"uv": str(tmp_path / "uv"), "certificates": None})

    assert plan(tools=tools).digest == plan().digest


def test_the_layer_of_the_code() -> None:
    planned = plan(
        labels=planning.labels({"estiva.models": ["iris:1"]}), variables={"A": 'a "quoted" $value'}
    )

    assert dockerfile.of_layer(planned.layers[-1], "estiva/environment:1") == (
        "FROM estiva/environment:1\n"
        'COPY --chown=10001:10001 ["azureml-app/score.py", "/var/azureml-app/score.py"]\n'
        'ENV A="a \\"quoted\\" \\$value"\n'
        'LABEL estiva.models="[\\"iris:1\\"]"\n'
    )


def test_a_source_directory_is_copied_as_a_folder() -> None:
    file = ContextFile(path="source/pkg/score.py", text="")

    text = dockerfile.of_layer(plan(code=(file,), variables={}).layers[-1], "x")

    assert text == 'FROM x\nCOPY --chown=10001:10001 ["azureml-app/source/", "/var/azureml-app/source/"]\n'


def test_a_variable_with_a_line_break_is_refused() -> None:
    with pytest.raises(UserErrorException, match=r"KEY has a line break.*environment_variables"):
        plan(variables={"KEY": "a\nb"})


def test_packages_of_the_base_image_are_used_as_they_are() -> None:
    borrowed = plan(packages=Packages(interpreter=Interpreter(path="/opt/conda/bin/python")))

    preparation = borrowed.layers[0].preparation

    assert "python=/opt/conda/bin/python && /tmp/estiva/uv venv" in preparation
    assert "requirements.txt" not in preparation


def test_the_whole_dockerfile_is_one_chain_of_stages() -> None:
    text = dockerfile.of_plan(plan(models=(MODEL,)))

    stages = [line for line in text.splitlines() if line.startswith("FROM")]
    assert stages == [
        "FROM debian:12 AS preparation",
        "FROM debian:12 AS environment",
        "FROM environment AS models",
        "FROM models",
    ]


@pytest.mark.parametrize(
    ("given", "named", "stage"),
    [
        ("FROM debian:12\nRUN true\n", "FROM debian:12 AS base\nRUN true", "base"),
        ("FROM a AS x\nFROM x as final\nRUN true", "FROM a AS x\nFROM x as final\nRUN true", "final"),
    ],
)
def test_the_users_dockerfile_becomes_the_first_stage(given: str, named: str, stage: str) -> None:
    planned = planning.plan_image(BaseImage(dockerfile=given), content())

    text = dockerfile.of_plan(planned)

    assert named in text
    assert f"FROM {stage} AS environment" in text


def test_the_context_is_the_same_from_another_place_at_another_time(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    (one / "model.pkl").write_bytes(b"model")
    shutil.copytree(one, other)
    os.utime(other / "model.pkl", (1, 1))
    (other / "model.pkl").chmod(0o600)

    assert context_of(one) == context_of(other)


def context_of(folder: Path) -> tuple[str, bytes]:
    models = (MODEL.model_copy(update={"text": None, "source": str(folder / "model.pkl"), "sha256": "9372"}),)
    planned = plan(models=models)
    written = io.BytesIO()
    write_tar(written, dockerfile.of_plan(planned), planned.layers[-2].files, planned.directories)
    return planned.digest, written.getvalue()


def test_a_debugger_is_a_layer_of_its_own_above_the_models() -> None:
    plain = planning.plan_models(DEBIAN, content(models=(MODEL,)))
    debugged = planning.plan_models(DEBIAN, content(models=(MODEL,), debugger="debugpy>=1.8,<2"))

    assert debugged.layers[:-1] == plain.layers
    text = dockerfile.of_layer(debugged.layers[-1], plain.layers[-1].reference)
    assert "uv pip install --python /opt/estiva/environment/bin/python --target /opt/estiva/debugger" in text
    assert text.endswith(
        "COPY --from=preparation /opt/estiva/debugger /opt/estiva/debugger\n"
        "ENV ESTIVA_DEBUGPY=/opt/estiva/debugger\n"
    )
