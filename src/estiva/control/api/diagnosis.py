"""What is wrong with a service, or with a version of an endpoint, and the way in to look."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from estiva.control.api.access import Control, Key
from estiva.control.bundle import bundle
from estiva.control.entering import enter
from estiva.control.examination import examine
from estiva.messages import Diagnosis
from estiva.records import Entrance

router = APIRouter()


@router.get("/diagnosis")
def diagnose(control: Control, key: Key) -> Diagnosis:
    return examine(control.stages, key)


@router.post("/entrance")
def entrance(control: Control, key: Key) -> Entrance:
    return enter(control.stages, key)


@router.get("/bundle")
def archive(control: Control, key: Key) -> Response:
    return Response(bundle(control.stages, key), media_type="application/zip")
