"""Services: deploy, update, reload, watch, logs, delete; and a trial without a service."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, StreamingResponse

from estiva.control.api import streams
from estiva.control.api.access import Control
from estiva.control.server import Server
from estiva.control.trial import run_trial
from estiva.errors import WebserviceException
from estiva.messages import (
    DebugRequest,
    DeploymentRequest,
    KeyRequest,
    KeysView,
    Progress,
    ScaleRequest,
    ServiceView,
    TokenView,
    TrialRequest,
    TrialResult,
)
from estiva.records import Credentials, Generation, GenerationState, ServiceKey

router = APIRouter(prefix="/workspaces/{workspace}")

_WATCH_SECONDS = 1.0


@router.get("/services")
def listing(control: Control, workspace: str) -> list[ServiceView]:
    control.stages.store.workspace(workspace)
    return [control.intake.view(service.key) for service in control.stages.store.services(workspace)]


@router.put("/services/{name}", status_code=202)
def deploy(control: Control, workspace: str, name: str, request: DeploymentRequest) -> ServiceView:
    return control.intake.deploy(ServiceKey(workspace=workspace, service=name), request)


@router.patch("/services/{name}", status_code=202)
def update(control: Control, workspace: str, name: str, request: DeploymentRequest) -> ServiceView:
    return control.intake.update(ServiceKey(workspace=workspace, service=name), request)


@router.post("/services/{name}/reload", status_code=202)
def reload(control: Control, workspace: str, name: str) -> ServiceView:
    return control.intake.reload(ServiceKey(workspace=workspace, service=name))


@router.post("/services/{name}/debug", status_code=202)
def debug(control: Control, workspace: str, name: str, request: DebugRequest) -> ServiceView:
    return control.intake.debug(ServiceKey(workspace=workspace, service=name), request)


@router.delete("/services/{name}/debug", status_code=202)
def end_debugging(control: Control, workspace: str, name: str) -> ServiceView:
    return control.intake.end_debugging(ServiceKey(workspace=workspace, service=name))


@router.post("/services/{name}/scale", status_code=202)
def scale(control: Control, workspace: str, name: str, request: ScaleRequest) -> ServiceView:
    return control.intake.scale(ServiceKey(workspace=workspace, service=name), request.replicas)


@router.get("/services/{name}/keys")
def keys(control: Control, workspace: str, name: str) -> KeysView:
    return _keys(control.intake.keys(ServiceKey(workspace=workspace, service=name)))


@router.post("/services/{name}/keys/{which}")
def replace_key(control: Control, workspace: str, name: str, which: str, request: KeyRequest) -> KeysView:
    key = ServiceKey(workspace=workspace, service=name)
    return _keys(control.intake.replace_key(key, which, request.key))


@router.post("/services/{name}/token")
def token(control: Control, workspace: str, name: str) -> TokenView:
    return control.intake.token(ServiceKey(workspace=workspace, service=name))


@router.delete("/services/{name}/tokens", status_code=204)
def revoke_tokens(control: Control, workspace: str, name: str) -> None:
    control.intake.revoke_tokens(ServiceKey(workspace=workspace, service=name))


@router.get("/services/{name}")
def show(control: Control, workspace: str, name: str) -> ServiceView:
    return control.intake.view(ServiceKey(workspace=workspace, service=name))


@router.get("/services/{name}/generations")
def history(control: Control, workspace: str, name: str) -> list[Generation]:
    key = ServiceKey(workspace=workspace, service=name)
    control.stages.store.service(key)
    return control.stages.store.generations(key)


@router.delete("/services/{name}", status_code=202)
def delete(control: Control, workspace: str, name: str) -> None:
    control.intake.delete(ServiceKey(workspace=workspace, service=name))


@router.get("/services/{name}/watch")
def watch(control: Control, workspace: str, name: str, generation: int) -> StreamingResponse:
    """The service as it changes, until that generation has ended one way or the other, or the service."""
    return streams.lines(_views(control, ServiceKey(workspace=workspace, service=name), generation))


@router.get("/services/{name}/logs")
def logs(
    control: Control,
    workspace: str,
    name: str,
    tail: int = 5000,
    generation: int | None = None,
    replica: int | None = None,
) -> PlainTextResponse:
    """The last lines of the newest generation that has any, or of the one that is named."""
    key = ServiceKey(workspace=workspace, service=name)
    service = control.stages.store.service(key)
    number = generation or service.desired
    found = control.stages.fleet.logs(key, generation=number, replica=replica, tail=tail)
    return PlainTextResponse("".join(f"{line}\n" for line in found))


@router.get("/services/{name}/logs/follow")
def follow(control: Control, workspace: str, name: str, tail: int = 100) -> StreamingResponse:
    key = ServiceKey(workspace=workspace, service=name)
    control.stages.store.service(key)
    return StreamingResponse(_followed(control, key, tail), media_type="text/plain; charset=utf-8")


@router.post("/trial")
def trial(control: Control, workspace: str, request: TrialRequest) -> StreamingResponse:
    control.stages.store.workspace(workspace)

    def work(show: streams.Show) -> TrialResult:
        spec = control.intake.specification(workspace, request)
        return run_trial(
            control.stages, workspace, spec, request.data, lambda line: show(Progress(message=line))
        )

    return streams.run(work)


def _keys(credentials: Credentials) -> KeysView:
    return KeysView(
        primary=credentials.primary_key.get_secret_value(),
        secondary=credentials.secondary_key.get_secret_value(),
    )


def _followed(control: Server, key: ServiceKey, tail: int) -> Iterator[str]:
    """An empty part now and then finds out that the client has left."""
    for batch in control.stages.fleet.follow(key, tail=tail):
        if control.stopping.is_set():
            return
        yield "".join(f"{line}\n" for line in batch)


def _views(control: Server, key: ServiceKey, number: int) -> Iterator[ServiceView]:
    """At each change, and at least once a second, so that a client can keep its own time limit."""
    changes = control.stages.changes
    while not control.stopping.is_set():
        seen = changes.count
        try:
            ended = _ended(control, key, number)
            view = control.intake.view(key)
        except WebserviceException:  # deleted meanwhile: the stream ends, and the client asks why
            return
        yield view
        if ended:
            return
        changes.wait(seen, _WATCH_SECONDS)


def _ended(control: Server, key: ServiceKey, number: int) -> bool:
    return control.stages.store.generation_state(key, number) is not GenerationState.PENDING
