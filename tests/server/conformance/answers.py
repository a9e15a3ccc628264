"""One request to a server, and its answer without what is new in each answer or told in other words."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tests.server.conformance.cases import Case
from tests.server.serving import SECONDS

Answer = Mapping[str, Any]
"""By aspect: "status", "body", the name of each header in lower case, and what a description says."""

_OF_THE_CONNECTION = frozenset({"connection", "content-length", "date", "keep-alive", "server"})
_UNORDERED = frozenset({"allow", "access-control-allow-headers", "access-control-allow-methods", "vary"})


def ask(port: int, case: Case) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        return _normalise(*_exchange(connection, case))
    finally:
        connection.close()


def _exchange(connection: http.client.HTTPConnection, case: Case) -> tuple[int, list[tuple[str, str]], bytes]:
    connection.putrequest(case.method, case.path, skip_host=True, skip_accept_encoding=True)
    # The script sees it; the servers' own would have different ports.
    connection.putheader("Host", "service.example")
    for name, value in case.headers:
        connection.putheader(name, value)
    if isinstance(case.body, tuple):
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders(iter(case.body), encode_chunked=True)
    else:
        if case.body or case.method == "POST":
            connection.putheader("Content-Length", str(len(case.body)))
        connection.endheaders(case.body)
    response = connection.getresponse()
    try:
        return response.status, response.getheaders(), response.read()
    except http.client.IncompleteRead as cut:
        return response.status, response.getheaders(), cut.partial + b"<cut>"


def _normalise(status: int, headers: list[tuple[str, str]], body: bytes) -> Answer:
    answer: dict[str, Any] = {"status": status, "body": body}
    for name, value in headers:
        lower = name.lower()
        if lower not in _OF_THE_CONNECTION:
            known = answer.get(lower)
            answer[lower] = _header(lower, value if known is None else f"{known}, {value}")
    if answer.get("content-type") == "application/json" and body:
        answer |= _content(json.loads(body), status)
    return answer


def _header(name: str, value: str) -> str:
    if name == "x-ms-run-fn-exec-ms" and re.fullmatch(r"\d+\.\d{3}", value):
        return "<milliseconds>"
    if name == "x-ms-server-version":
        return "<a server and its version>"
    if name in _UNORDERED:
        return ", ".join(sorted(part.strip().lower() for part in value.split(",")))
    return "<a new id>" if _is_uuid(value) else value


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _content(content: Any, status: int) -> Mapping[str, Any]:
    if status >= 400 and isinstance(content, dict) and content.keys() == {"message"}:
        return {"body": {"message": f"<{type(content['message']).__name__}>"}}
    if isinstance(content, dict) and "info" in content:
        return _description(content)
    return {"body": content}


def _description(document: dict[str, Any]) -> Mapping[str, Any]:
    """What tools and clients take from a description of the service, without its explanations."""
    components = document.get("components", document)
    schemas = components.get("schemas", document.get("definitions"))
    return {
        "body": f"<a description, version {document.get('swagger', document.get('openapi'))}>",
        "title": document["info"]["title"],
        "version": document["info"]["version"],
        "paths": {
            path: {verb: operation.get("operationId") for verb, operation in verbs.items()}
            for path, verbs in document["paths"].items()
        },
        "required parameters": schemas["ServiceInput"].pop("required", None),
        "input schema": schemas["ServiceInput"],
        "output schema": schemas["ServiceOutput"],
        "error schema": schemas["ErrorResponse"],
        "security": sorted(components.get("securitySchemes", document.get("securityDefinitions", ()))),
    }
