"""The HTTP API: what the SDK, the CLI and dashboards are clients of. One module per noun."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from estiva.control.api import (
    contexts,
    deployments,
    diagnosis,
    endpoints,
    environments,
    keys,
    models,
    packages,
    server,
    services,
    workspaces,
)
from estiva.control.server import Server
from estiva.errors import EstivaError, UserErrorException
from estiva.messages import Problem

_SERVICE = "/workspaces/{workspace}/services/{name}"
_ENDPOINT = "/workspaces/{workspace}/endpoints/{name}"
_VERSION = f"{_ENDPOINT}/versions/{{version}}"

_STATUS_BY_CODE = {
    "WorkspaceNotFound": 404,
    "ModelNotFound": 404,
    "EnvironmentNotFound": 404,
    "WebserviceNotFound": 404,
    "WorkspaceExists": 409,
    "VersionNotFound": 404,
    "ServiceExists": 409,
    "VersionExists": 409,
    "VersionNotHealthy": 409,
    "VersionDefault": 409,
    "VersionLast": 409,
    "TrafficInvalid": 400,
    "TrafficOver100": 400,
    "PortInUse": 409,
    "DeletionRequired": 412,
    "KeyUnknown": 400,
    "KeyInvalid": 400,
    "KeysNotUsed": 409,
    "TokensNotUsed": 409,
    "CertificateInvalid": 400,
    "CertificateMissing": 400,
}


def problem(error: EstivaError) -> Problem:
    return Problem(type=type(error).__name__, code=error.code, message=error.message, detail=error.detail)


def status_of(error: EstivaError) -> int:
    fallback = 400 if isinstance(error, UserErrorException) else 500
    return _STATUS_BY_CODE.get(error.code, fallback)


def build(control: Server) -> FastAPI:
    app = FastAPI(title="Estiva", docs_url=None, redoc_url=None)
    app.state.control = control

    @app.exception_handler(EstivaError)
    def answer_error(_request: Request, error: EstivaError) -> JSONResponse:
        return JSONResponse(problem(error).model_dump(), status_code=status_of(error))

    for module in (server, workspaces, models, packages, contexts, environments, services, endpoints):
        app.include_router(module.router)
    for prefix in (_SERVICE, _VERSION):
        app.include_router(deployments.router, prefix=prefix)
        app.include_router(diagnosis.router, prefix=prefix)
    for prefix in (_SERVICE, _VERSION, _ENDPOINT):
        app.include_router(keys.router, prefix=prefix)
    return app
