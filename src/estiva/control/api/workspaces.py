"""Workspaces."""

from __future__ import annotations

import shutil

from fastapi import APIRouter

from estiva.control.api.access import Control
from estiva.records import Workspace
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


@router.delete("/{workspace}", status_code=204)
def delete(control: Control, workspace: str) -> None:
    control.stages.publisher.stop(workspace)
    control.stages.store.delete_workspace(workspace)
    control.stages.access.forget(workspace)
    shutil.rmtree(control.stages.home.storage(workspace), ignore_errors=True)
