"""What GET /swagger.json answers: the user's own description, or one made from the script's schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from estiva_server import __version__, contract
from estiva_server.schema import Schema
from estiva_server.settings import Settings

SERVER = f"estiva-server/{__version__}"

VERSIONS = {"2": "2.0", "2.0": "2.0", "3": "3.0", "3.0": "3.0", "3.1": "3.1"}
DEFAULT_VERSION = "2"

_FILES = {
    "2.0": ("swagger.json", "swagger2.json"),
    "3.0": ("swagger3.json",),
    "3.1": ("swagger3.1.json",),
}
_OPENAPI = {"3.0": "3.0.3", "3.1": "3.1.0"}

_ANYTHING = Schema(input={}, output={}, versions=("2.0", "3.0", "3.1"))
"""Of a script that says nothing: data of any kind."""

_ERROR = {"type": "object", "properties": {"message": {"type": "string"}}}
_JSON = "application/json"


def describe(version: str, settings: Settings, schema: Schema | None) -> bytes | None:
    """The JSON document. A file in the app root wins.

    None for a version that does not exist, or that cannot describe what the script takes: version 2 has no
    lists of mixed types.
    """
    known = VERSIONS.get(version)
    if known is None:
        return None
    own = _own(known, settings.app_root)
    if own is not None:
        return own
    schema = schema or _ANYTHING
    if known not in schema.versions:
        return None
    document = _swagger2(settings, schema) if known == "2.0" else _openapi(settings, schema, known)
    return json.dumps(document, default=str).encode()


def _own(version: str, app_root: Path) -> bytes | None:
    for name in _FILES[version]:
        if (app_root / name).is_file():
            return (app_root / name).read_bytes()
    return None


def _information(settings: Settings) -> dict[str, Any]:
    return {
        "title": settings.service_name,
        "version": settings.service_version,
        "description": f"{settings.service_name}, served by {SERVER}.",
    }


def _paths(settings: Settings, **operations: Any) -> dict[str, Any]:
    prefix = settings.service_path_prefix.strip("/")
    before = f"/{prefix}" if prefix else ""
    return {
        f"{before}{contract.HEALTH_PATH}": {"get": operations["health"]},
        f"{before}{contract.SCORE_PATH}": {"post": operations["score"]},
        f"{before}{contract.SWAGGER_PATH}": {"get": operations["swagger"]},
    }


_HEALTH = {"operationId": "ServiceHealthCheck", "description": "Answers when the service is ready."}
_SCORE = {"operationId": "RunMLService", "description": "Calls run() of the score script."}
_SWAGGER = {"operationId": "GetSwaggerSpec", "description": "Describes the service: this document."}


def _swagger2(settings: Settings, schema: Schema) -> dict[str, Any]:
    def answers(description: str, content: dict[str, Any]) -> dict[str, Any]:
        failed = {"description": "An error.", "schema": {"$ref": "#/definitions/ErrorResponse"}}
        return {"200": {"description": description, "schema": content}, "default": failed}

    body = {
        "name": "serviceInputPayload",
        "in": "body",
        "required": True,
        "schema": {"$ref": "#/definitions/ServiceInput"},
    }
    version = {"name": "version", "in": "query", "type": "string", "enum": list(VERSIONS)}
    return {
        "swagger": "2.0",
        "info": _information(settings),
        "consumes": [_JSON],
        "produces": [_JSON],
        "securityDefinitions": {"Bearer": _KEY},
        "paths": _paths(
            settings,
            health={
                **_HEALTH,
                "produces": ["text/plain"],
                "responses": answers("Healthy", {"type": "string"}),
            },
            score={
                **_SCORE,
                "parameters": [body],
                "security": [{"Bearer": []}],
                "responses": answers("What run() returned.", {"$ref": "#/definitions/ServiceOutput"}),
            },
            swagger={**_SWAGGER, "parameters": [version], "responses": answers("It.", {"type": "object"})},
        ),
        "definitions": _definitions(schema),
    }


def _openapi(settings: Settings, schema: Schema, version: str) -> dict[str, Any]:
    def answers(description: str, content: dict[str, Any], kind: str = _JSON) -> dict[str, Any]:
        failed = {
            "description": "An error.",
            "content": {_JSON: {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}},
        }
        return {
            "200": {"description": description, "content": {kind: {"schema": content}}},
            "default": failed,
        }

    body = {"required": True, "content": {_JSON: {"schema": {"$ref": "#/components/schemas/ServiceInput"}}}}
    wanted = {"name": "version", "in": "query", "schema": {"type": "string", "enum": list(VERSIONS)}}
    return {
        "openapi": _OPENAPI[version],
        "info": _information(settings),
        "paths": _paths(
            settings,
            health={**_HEALTH, "responses": answers("Healthy", {"type": "string"}, "text/plain")},
            score={
                **_SCORE,
                "requestBody": body,
                "security": [{"Bearer": []}],
                "responses": answers("What run() returned.", {"$ref": "#/components/schemas/ServiceOutput"}),
            },
            swagger={**_SWAGGER, "parameters": [wanted], "responses": answers("It.", {"type": "object"})},
        ),
        "components": {"schemas": _definitions(schema), "securitySchemes": {"Bearer": _KEY}},
    }


_KEY = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "For services with keys: Bearer and a key.",
}


def _definitions(schema: Schema) -> dict[str, Any]:
    return {"ServiceInput": schema.input, "ServiceOutput": schema.output, "ErrorResponse": _ERROR}
