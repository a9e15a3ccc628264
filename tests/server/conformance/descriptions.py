"""GET /swagger.json."""

from __future__ import annotations

from tests.server.conformance.cases import Case, Group, get
from tests.server.conformance.differences import PLAIN_SCHEMA, REQUIRED, Difference

PLAIN = "def init(): pass\ndef run(data): pass\n"
MIXED = """
from inference_schema.parameter_types import standard_py_parameter_type as standard
from inference_schema.schema_decorators import input_schema
def init(): pass
@input_schema("data", standard.StandardPythonParameterType([1, "x"]))
def run(data): return data
"""
CONFIGURATION = """{
    "SERVICE_NAME": "filed", "SERVICE_VERSION": "9", "SERVICE_PATH_PREFIX": "p", "SCORING_TIMEOUT_MS": 1000
}"""


def own(name: str) -> str:
    return f'{{"openapi": "{name}", "mine": true, "\u00fc": [1.0]}}'


def described(query: str, *differs: Difference) -> Case:
    return get(f"description {query}", f"/swagger.json{query}", (), *differs)


VERSIONS = ("", "?version=2", "?version=3", "?version=3.1")
KNOWN = (*VERSIONS, "?version=2.0", "?version=3.0", "?version=2&version=3", "?other=3", "?Version=3")
UNKNOWN = ("?version=1", "?version=4", "?version=", "?version=x", "?version=%202", "?version=3.1.0")

OF_A_PLAIN_SCRIPT = (*(described(query, PLAIN_SCHEMA) for query in KNOWN), *map(described, UNKNOWN))

GROUPS = (
    Group(
        "own descriptions",
        {
            "score.py": PLAIN,
            "swagger2.json": own("b"),
            "swagger3.json": own("c"),
        },
        (*map(described, VERSIONS[:3]), described("?version=3.1", PLAIN_SCHEMA)),
        {"SERVICE_NAME": "churn", "SERVICE_VERSION": "7", "SERVICE_PATH_PREFIX": "/api/v1/service/churn/"},
    ),
    Group(
        "mixed lists",
        {"score.py": MIXED},
        (*map(described, VERSIONS[:2]), *(described(query, REQUIRED) for query in VERSIONS[2:])),
    ),
    Group(
        "configured",
        {"score.py": PLAIN, "config.json": CONFIGURATION},
        tuple(described(query, PLAIN_SCHEMA) for query in VERSIONS[1:]),
        {"SERVICE_VERSION": "10"},
    ),
)
