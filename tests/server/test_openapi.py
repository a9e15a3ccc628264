"""The served description, taken at its word: requests are made of it, and the answers checked against it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection

from tests.server.conftest import Serve
from tests.server.serving import ScoringServer

pytestmark = pytest.mark.xdist_group("openapi")

SCRIPT = """
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

def init(): pass

@input_schema("rows", StandardPythonParameterType([[1, 2]]))
@input_schema("unit", StandardPythonParameterType("cm"))
@output_schema(StandardPythonParameterType({"sums": [4], "unit": "cm"}))
def run(rows, request_headers, unit="m"):
    return {"sums": [sum(row) for row in rows], "unit": unit}
"""

GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
OPERATIONS = [
    ("GET", "/", GOOD),
    ("POST", "/score", GOOD),
    ("POST", "/score", BAD),
    ("GET", "/swagger.json", GOOD),
    ("GET", "/swagger.json", BAD),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringServer]:
    with closing(Serve(tmp_path_factory.mktemp("openapi"))) as serve:
        yield serve({"score.py": SCRIPT})


def test_what_a_request_must_have_is_said(server: ScoringServer) -> None:
    described = server.ask("GET", "/swagger.json").json["definitions"]["ServiceInput"]
    assert set(described["properties"]) == set(described["example"]) == {"rows", "unit"}
    assert described["required"] == ["rows"]


def take_at_its_word(
    server: ScoringServer, verb: str, path: str, mode: GenerationMode, version: str, count: int
) -> None:
    address = f"http://127.0.0.1:{server.port}/swagger.json?version={version}"
    operation = schemathesis.openapi.from_url(address)[path][verb]
    excluded: list[CheckFunction] = [ignored_auth]  # keys are the gateway's
    if path == "/score" and mode is BAD:
        # Which arguments it takes is the script's to say, and 502 is how it does.
        excluded += [negative_data_rejection, not_a_server_error]

    @settings(max_examples=count, deadline=None, derandomize=True, database=None)
    @given(operation.as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        answer = case.call_and_validate(excluded_checks=excluded)
        assert answer.status_code in {200, 400, 404, 415, 502}

    check()


@pytest.mark.parametrize(("verb", "path", "mode"), OPERATIONS)
def test_the_description_holds(server: ScoringServer, verb: str, path: str, mode: GenerationMode) -> None:
    take_at_its_word(server, verb, path, mode, "3", count=20)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2", "3", "3.1"])
@pytest.mark.parametrize(("verb", "path", "mode"), OPERATIONS)
def test_each_description_holds_at_length(
    server: ScoringServer, verb: str, path: str, mode: GenerationMode, version: str
) -> None:
    take_at_its_word(server, verb, path, mode, version, count=200)
