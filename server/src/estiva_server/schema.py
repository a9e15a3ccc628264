"""The input and output schema of a run() that inference-schema decorates. That package is the user's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


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
        input=package.get_input_schema(run),
        output=package.get_output_schema(run),
        versions=tuple(package.get_supported_versions(run)),
    )
