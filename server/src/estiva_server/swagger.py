"""What GET /swagger.json answers: the user's own description, or a simple one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from estiva_server import __version__
from estiva_server.contract import SCORE_PATH

VERSIONS = {"2": "2", "2.0": "2", "3": "3", "3.0": "3", "3.1": "3.1"}
DEFAULT_VERSION = "2"

_FILES = {
    "2": ("swagger2.json", "swagger.json"),
    "3": ("swagger3.json",),
    "3.1": ("swagger3.1.json",),
}
_OPENAPI = {"3": "3.0.3", "3.1": "3.1.0"}


def describe(version: str, app_root: Path, service: str) -> bytes | None:
    """The JSON document; None for a version that does not exist. A file in the app root wins."""
    if version not in VERSIONS:
        return None
    known = VERSIONS[version]
    for name in _FILES[known]:
        if (app_root / name).is_file():
            return (app_root / name).read_bytes()
    document = _swagger2(service) if known == "2" else _openapi(service, _OPENAPI[known])
    return json.dumps(document).encode()


def _information(service: str) -> dict[str, Any]:
    return {"title": service, "version": "1.0", "description": f"Served by estiva-server {__version__}."}


_HEALTH = {"operationId": "ServiceHealthCheck", "description": "Answers when the service is ready."}
_SCORE = {"operationId": "RunMLService", "description": "Calls run() of the score script."}
_FAILED = {"description": "run() raised an exception."}


def _swagger2(service: str) -> dict[str, Any]:
    body = {"name": "data", "in": "body", "required": True, "schema": {}}
    score = {
        **_SCORE,
        "consumes": ["application/json"],
        "parameters": [body],
        "responses": {"200": {"description": "What run() returned.", "schema": {}}, "502": _FAILED},
    }
    return {
        "swagger": "2.0",
        "info": _information(service),
        "produces": ["application/json"],
        "paths": {
            "/": {
                "get": {
                    **_HEALTH,
                    "produces": ["text/plain"],
                    "responses": {"200": {"description": "Healthy"}},
                }
            },
            SCORE_PATH: {"post": score},
        },
    }


def _openapi(service: str, version: str) -> dict[str, Any]:
    anything: dict[str, Any] = {"application/json": {"schema": {}}}
    score = {
        **_SCORE,
        "requestBody": {"required": True, "content": anything},
        "responses": {"200": {"description": "What run() returned.", "content": anything}, "502": _FAILED},
    }
    return {
        "openapi": version,
        "info": _information(service),
        "paths": {
            "/": {"get": {**_HEALTH, "responses": {"200": {"description": "Healthy"}}}},
            SCORE_PATH: {"post": score},
        },
    }
