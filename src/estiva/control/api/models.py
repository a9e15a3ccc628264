"""Registered models."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from estiva.control.api import streams
from estiva.control.api.access import Control
from estiva.errors import WebserviceException
from estiva.messages import ModelChange, ModelRegistration, Progress
from estiva.records import Model

router = APIRouter(prefix="/workspaces/{workspace}/models")

Labels = Annotated[tuple[str, ...], Query()]


@router.get("")
def listing(
    control: Control,
    workspace: str,
    name: str | None = None,
    tag: Labels = (),
    property: Labels = (),  # noqa: A002  the query parameter's name
    framework: str | None = None,
    run_id: str | None = None,
    latest: bool = False,
) -> list[Model]:
    """`tag` and `property` are "key" or "key=value"; all given must match."""
    store = control.stages.store
    store.workspace(workspace)
    return store.models(
        workspace,
        name=name,
        tags=[_label(text) for text in tag],
        properties=[_label(text) for text in property],
        framework=framework,
        run_id=run_id,
        latest=latest,
    )


@router.post("")
def register(control: Control, workspace: str, wanted: ModelRegistration) -> StreamingResponse:
    def work(show: streams.Show) -> Model:
        return control.intake.register_model(
            workspace, wanted, lambda done, total: show(Progress(kind="bytes", done=done, total=total))
        )

    return streams.run(work)


@router.get("/{name}")
def show(control: Control, workspace: str, name: str, version: int | None = None) -> Model:
    return control.stages.store.model(workspace, name, version)


@router.patch("/{name}/{version}")
def change(control: Control, workspace: str, name: str, version: int, wanted: ModelChange) -> Model:
    return control.stages.store.update_model(
        workspace,
        name,
        version,
        tags=wanted.tags,
        description=wanted.description,
        add_properties=wanted.add_properties,
    )


@router.delete("/{name}/{version}", status_code=204)
def delete(control: Control, workspace: str, name: str, version: int) -> None:
    control.stages.store.delete_model(workspace, name, version)
    control.stages.prune()


@router.get("/{name}/{version}/files/{path:path}")
def download(control: Control, workspace: str, name: str, version: int, path: str) -> StreamingResponse:
    """The bytes of one file of the model; the client checks them against the digest that it knows."""
    model = control.stages.store.model(workspace, name, version)
    digest = next((file.sha256 for file in model.tree.files if file.path == path), None)
    if digest is None:
        raise WebserviceException(f"Model {model.id} has no file {path!r}.", code="ModelNotFound")
    stream = control.stages.blobs.open(digest)
    chunks = iter(lambda: stream.read(1 << 20), b"")
    return StreamingResponse(chunks, media_type="application/octet-stream")


def _label(text: str) -> str | tuple[str, str]:
    key, separator, value = text.partition("=")
    return (key, value) if separator else key
