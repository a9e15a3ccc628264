"""What the shell completes: names that a running control server knows. None is started, nothing is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from estiva import __version__
from estiva.errors import EstivaError, UserErrorException


def services(context: typer.Context, incomplete: str) -> list[str]:
    return _known(context, "services", lambda item: str(item["service"]["key"]["service"]), incomplete)


def endpoints(context: typer.Context, incomplete: str) -> list[str]:
    return _known(context, "endpoints", lambda item: str(item["service"]["key"]["service"]), incomplete)


def versions(context: typer.Context, incomplete: str) -> list[str]:
    """Of the endpoint that the command names."""
    found = _items(context, "endpoints")
    of = [item for item in found if item["service"]["key"]["service"] == context.params.get("name")]
    names = (str(version["name"]) for item in of for version in item["versions"])
    return sorted(name for name in names if name.startswith(incomplete))


def shares(context: typer.Context, incomplete: str) -> list[str]:
    return [f"{name}=" for name in versions(context, incomplete)]


def models(context: typer.Context, incomplete: str) -> list[str]:
    return _known(context, "models", lambda item: str(item["name"]), incomplete)


def model_versions(context: typer.Context, incomplete: str) -> list[str]:
    return _known(context, "models", lambda item: f"{item['name']}:{item['version']}", incomplete)


def environments(context: typer.Context, incomplete: str) -> list[str]:
    return _known(context, "environments", lambda item: str(item["name"]), incomplete)


def _known(
    context: typer.Context, what: str, name: Callable[[dict[str, Any]], str], incomplete: str
) -> list[str]:
    found = _items(context, what)
    return sorted({known for item in found if (known := name(item)).startswith(incomplete)})


def _items(context: typer.Context, what: str) -> list[dict[str, Any]]:
    from estiva.sdk.connection import address, connect

    try:
        status = connect().status()
        if status is None or status.version != __version__:  # a request would start one, or replace it
            return []
        place = address("workspaces", _workspace(context), what)
        found: list[dict[str, Any]] = connect().request("GET", place)
    except EstivaError:
        return []
    return found


def _workspace(context: typer.Context) -> str:
    from estiva.sdk.workspace import DEFAULT_NAME, find_config, read_config

    given: str | None = context.params.get("workspace")
    if given:
        return given
    try:
        return read_config(find_config(Path.cwd()))[2]
    except UserErrorException:
        return DEFAULT_NAME
