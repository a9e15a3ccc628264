"""What services and versions of endpoints have in common: generations, replicas, logs."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, StreamingResponse

from estiva.control.api import streams
from estiva.control.api.access import Control, Key
from estiva.control.server import Server
from estiva.control.views import view
from estiva.errors import WebserviceException
from estiva.messages import DebugRequest, ScalingRequest, ServiceView
from estiva.records import Generation, GenerationState, ServiceKey

router = APIRouter()

_WATCH_SECONDS = 1.0


@router.get("")
def show(control: Control, key: Key) -> ServiceView:
    return view(control.stages, key)


@router.post("/reload", status_code=202)
def reload(control: Control, key: Key) -> ServiceView:
    return control.intake.reload(key)


@router.post("/debug", status_code=202)
def debug(control: Control, key: Key, request: DebugRequest) -> ServiceView:
    return control.intake.debug(key, request)


@router.delete("/debug", status_code=202)
def end_debugging(control: Control, key: Key) -> ServiceView:
    return control.intake.end_debugging(key)


@router.post("/scale", status_code=202)
def scale(control: Control, key: Key, request: ScalingRequest) -> ServiceView:
    return control.intake.scale(key, request)


@router.get("/generations")
def history(control: Control, key: Key) -> list[Generation]:
    control.stages.store.service(key)
    return control.stages.store.generations(key)


@router.get("/watch")
def watch(control: Control, key: Key, generation: int) -> StreamingResponse:
    """The service as it changes, until that generation has ended one way or the other, or the service."""
    return streams.lines(_views(control, key, generation))


@router.get("/logs")
def logs(
    control: Control,
    key: Key,
    tail: int = 5000,
    generation: int | None = None,
    replica: int | None = None,
) -> PlainTextResponse:
    """The last lines of the newest generation that has any, or of the one that is named."""
    service = control.stages.store.service(key)
    number = generation or service.desired
    found = control.stages.fleet.logs(key, generation=number, replica=replica, tail=tail)
    return PlainTextResponse("".join(f"{line}\n" for line in found))


@router.get("/logs/follow")
def follow(control: Control, key: Key, tail: int = 100) -> StreamingResponse:
    control.stages.store.service(key)
    return StreamingResponse(_followed(control, key, tail), media_type="text/plain; charset=utf-8")


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
            found = view(control.stages, key)
        except WebserviceException:  # deleted meanwhile: the stream ends, and the client asks why
            return
        yield found
        if ended:
            return
        changes.wait(seen, _WATCH_SECONDS)


def _ended(control: Server, key: ServiceKey, number: int) -> bool:
    return control.stages.store.generation_state(key, number) is not GenerationState.PENDING
