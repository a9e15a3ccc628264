"""The control server itself."""

from __future__ import annotations

from fastapi import APIRouter

from estiva.control import pruning
from estiva.control.api.access import Control
from estiva.messages import PruneResult, ServerStatus

router = APIRouter()


@router.get("/status")
def status(control: Control) -> ServerStatus:
    return control.status()


@router.post("/prune")
def prune(control: Control, dry_run: bool = False) -> PruneResult:
    """Frees what nothing needs any more."""
    return pruning.prune(control.stages, dry_run)


@router.post("/shutdown", status_code=202)
def shutdown(control: Control) -> None:
    """Ends the control server; services go on serving."""
    control.shut_down()
