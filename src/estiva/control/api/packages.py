"""Packages: images of models and a score script, or the Dockerfiles that make them."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse, StreamingResponse

from estiva.control import imaging
from estiva.control.api import streams
from estiva.control.api.access import Control
from estiva.images import builder
from estiva.messages import ImagePull, PackageRequest, PackageResult, Progress

router = APIRouter(prefix="/workspaces/{workspace}/packages")


@router.post("")
def create(control: Control, workspace: str, request: PackageRequest) -> StreamingResponse:
    control.stages.store.workspace(workspace)

    def work(show: streams.Show) -> PackageResult:
        spec = control.intake.specification(workspace, request)

        def on_line(line: str) -> None:
            show(Progress(message=line))

        return imaging.package(control.stages, workspace, spec, request, on_line, control.stopping.is_set)

    return streams.run(work)


@router.post("/pull")
def pull(control: Control, workspace: str, wanted: ImagePull) -> StreamingResponse:
    """Pulls an image that was pushed, and tells what the engine tells."""
    control.stages.store.workspace(workspace)

    def work(show: streams.Show) -> ImagePull:
        builder.pull(wanted.location, lambda line: show(Progress(message=line)))
        return wanted

    return streams.run(work)


@router.get("/{digest}/context")
def context(control: Control, workspace: str, digest: str) -> FileResponse:
    """The Dockerfile with all that it copies, as a tar."""
    control.stages.store.workspace(workspace)
    return FileResponse(imaging.context_file(control.stages, digest), media_type="application/x-tar")
