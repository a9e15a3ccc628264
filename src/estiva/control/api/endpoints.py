"""Endpoints: create, update, divide the traffic, delete; and their versions."""

from __future__ import annotations

from fastapi import APIRouter

from estiva.control.api.access import Control, Key
from estiva.control.views import endpoint_view
from estiva.messages import EndpointChange, EndpointRequest, ServiceView, TrafficRequest, VersionRequest
from estiva.records import Measures, ServiceKey

router = APIRouter(prefix="/workspaces/{workspace}/endpoints")


@router.get("")
def listing(control: Control, workspace: str) -> list[ServiceView]:
    stages = control.stages
    stages.store.workspace(workspace)
    return [endpoint_view(stages, endpoint) for endpoint in stages.store.endpoints(workspace)]


@router.get("/{name}")
def show(control: Control, workspace: str, name: str) -> ServiceView:
    return endpoint_view(control.stages, control.stages.store.endpoint(workspace, name))


@router.put("/{name}", status_code=202)
def create(control: Control, workspace: str, name: str, request: EndpointRequest) -> ServiceView:
    first = ServiceKey(workspace=workspace, service=name, version=request.version)
    return control.endpoints.create(first, request)


@router.patch("/{name}", status_code=202)
def update(control: Control, key: Key, request: EndpointChange) -> ServiceView:
    return control.endpoints.update(key, request)


@router.delete("/{name}", status_code=202)
def delete(control: Control, key: Key) -> None:
    control.endpoints.delete(key)


@router.get("/{name}/measures")
def measures(control: Control, workspace: str, name: str) -> dict[str, Measures]:
    """What became of the newest requests, by version."""
    control.stages.store.endpoint(workspace, name)
    return control.stages.publisher.measures(workspace, name)


@router.put("/{name}/traffic")
def direct(control: Control, key: Key, request: TrafficRequest) -> ServiceView:
    return control.endpoints.direct(key, request)


@router.put("/{name}/versions/{version}", status_code=202)
def create_version(control: Control, key: Key, request: VersionRequest) -> ServiceView:
    return control.endpoints.add_version(key, request)


@router.patch("/{name}/versions/{version}", status_code=202)
def update_version(control: Control, key: Key, request: VersionRequest) -> ServiceView:
    return control.endpoints.update_version(key, request)


@router.delete("/{name}/versions/{version}", status_code=202)
def delete_version(control: Control, key: Key) -> None:
    control.endpoints.delete_version(key)
