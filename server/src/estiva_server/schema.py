"""What run() takes and returns, as inference-schema says (its package is the user's), or as run() does."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from estiva_server.inputs import HEADERS_PARAMETER

_DESCRIPTION_MARK = "__estiva_description__"
"""The attribute by which a run() without inference-schema describes itself."""


@dataclass(frozen=True)
class Schema:
    """What a description of the service says of run()."""

    input: dict[str, Any]
    output: dict[str, Any]
    versions: tuple[str, ...]
    """Of those descriptions that can say it: "2.0", "3.0", "3.1"."""


def read_schema(run: Callable[..., Any]) -> Schema | None:
    """None if run() has no schema."""
    package = sys.modules.get("inference_schema.schema_util")
    if package is None or not package.is_schema_decorated(run):
        return None
    return Schema(
        input=_describe_input(package.get_input_schema(run), run),
        output=package.get_output_schema(run),
        versions=tuple(package.get_supported_versions(run)),
    )


def _describe_input(said: dict[str, Any], run: Callable[..., Any]) -> dict[str, Any]:
    """As inference-schema has it, but the headers are no member of the body, and what has no default must
    be given."""
    if "properties" not in said:
        return said
    described = dict(said)
    for part in ("properties", "example"):
        described[part] = {name: value for name, value in said[part].items() if name != HEADERS_PARAMETER}
    required = [
        one.name
        for one in inspect.signature(run).parameters.values()
        if one.default is inspect.Parameter.empty and one.name in described["properties"]
    ]
    return {**described, "required": required} if required else described


def anything(*, input: dict[str, Any], output: dict[str, Any]) -> Schema:  # noqa: A002  as in Schema
    """A schema of plain JSON types, which all versions can say."""
    return Schema(input=input, output=output, versions=("2.0", "3.0", "3.1"))


def describe(run: Callable[..., Any], schema: Schema) -> None:
    """Have the service's description say this of run(). It changes nothing of how requests are read."""
    setattr(run, _DESCRIPTION_MARK, schema)


def read_description(run: Callable[..., Any]) -> Schema | None:
    """What was last said of run(), by itself or by inference-schema."""
    said: Schema | None = getattr(run, _DESCRIPTION_MARK, None)
    return said or read_schema(run)
