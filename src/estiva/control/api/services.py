"""Services: deploy, update, delete; and a trial without a service."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from estiva.control.api import streams
from estiva.control.api.access import Control, Key
from estiva.control.trial import run_trial
from estiva.control.views import views
from estiva.messages import DeploymentRequest, Progress, ServiceView, TrialRequest, TrialResult

router = APIRouter(prefix="/workspaces/{workspace}")


@router.get("/services")
def listing(control: Control, workspace: str) -> list[ServiceView]:
    control.stages.store.workspace(workspace)
    return views(control.stages, workspace)


@router.put("/services/{name}", status_code=202)
def deploy(control: Control, key: Key, request: DeploymentRequest) -> ServiceView:
    return control.intake.deploy(key, request)


@router.patch("/services/{name}", status_code=202)
def update(control: Control, key: Key, request: DeploymentRequest) -> ServiceView:
    return control.intake.update(key, request)


@router.delete("/services/{name}", status_code=202)
def delete(control: Control, key: Key) -> None:
    control.intake.delete(key)


@router.post("/trial")
def trial(control: Control, workspace: str, request: TrialRequest) -> StreamingResponse:
    control.stages.store.workspace(workspace)

    def work(show: streams.Show) -> TrialResult:
        spec = control.intake.specification(workspace, request)
        return run_trial(
            control.stages, workspace, spec, request.data, lambda line: show(Progress(message=line))
        )

    return streams.run(work)
