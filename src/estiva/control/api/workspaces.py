"""Workspaces."""

from __future__ import annotations

import shutil

from fastapi import APIRouter

from estiva.control.api.access import Control
from estiva.control.server import Server
from estiva.messages import CertificateRequest, WorkspaceChange
from estiva.records import Certificate, Workspace
from estiva.registry import names

router = APIRouter(prefix="/workspaces")


@router.get("")
def listing(control: Control) -> list[Workspace]:
    return control.stages.store.workspaces()


@router.post("", status_code=201)
def create(control: Control, workspace: Workspace) -> Workspace:
    names.workspace_name(workspace.name)
    return control.stages.store.create_workspace(workspace)


@router.get("/{workspace}")
def show(control: Control, workspace: str) -> Workspace:
    return control.stages.store.workspace(workspace)


@router.patch("/{workspace}")
def change(control: Control, workspace: str, wanted: WorkspaceChange) -> Workspace:
    changes = {name: value.rstrip("/") or None for name, value in wanted if value is not None}
    return control.stages.store.update_workspace(workspace, **changes)


@router.put("/{workspace}/certificate")
def secure(control: Control, workspace: str, request: CertificateRequest) -> Workspace:
    """The port that its services share speaks TLS alone when this is answered."""
    before = control.stages.store.workspace(workspace).certificate
    certificate = control.stages.access.keep_certificate(workspace, request, before)
    return _with_certificate(control, workspace, certificate)


@router.delete("/{workspace}/certificate")
def unsecure(control: Control, workspace: str) -> Workspace:
    return _with_certificate(control, workspace, None)


@router.delete("/{workspace}", status_code=204)
def delete(control: Control, workspace: str) -> None:
    control.stages.publisher.stop(workspace)
    control.stages.store.delete_workspace(workspace)
    control.stages.access.forget(workspace)
    shutil.rmtree(control.stages.home.storage(workspace), ignore_errors=True)


def _with_certificate(control: Server, name: str, certificate: Certificate | None) -> Workspace:
    changed = control.stages.store.update_workspace(name, certificate=certificate)
    control.stages.publisher.publish(name)
    return changed
