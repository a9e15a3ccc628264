"""Build contexts: folders with a Dockerfile, taken as they are."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter

from estiva.control import contexts
from estiva.control.api.access import Control
from estiva.messages import BuildContextRequest
from estiva.records import BuildContext

router = APIRouter(prefix="/workspaces/{workspace}/contexts")


@router.post("", status_code=201)
def take(control: Control, workspace: str, wanted: BuildContextRequest) -> BuildContext:
    control.stages.store.workspace(workspace)
    return contexts.take(control.stages.blobs, Path(wanted.path), wanted.dockerfile)
