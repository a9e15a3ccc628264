"""Registered environments, and building one without deploying."""

from __future__ import annotations

import threading

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from estiva.control.api import streams
from estiva.control.api.access import Control
from estiva.messages import BuiltEnvironment, EnvironmentBuild, Progress
from estiva.records import Environment, EnvironmentSpecification
from estiva.registry import names

router = APIRouter(prefix="/workspaces/{workspace}/environments")


@router.get("")
def listing(control: Control, workspace: str) -> list[Environment]:
    control.stages.store.workspace(workspace)
    return control.stages.store.environments(workspace)


@router.post("", status_code=201)
def register(control: Control, workspace: str, specification: EnvironmentSpecification) -> Environment:
    names.environment_name(specification.name)
    control.stages.store.workspace(workspace)
    return control.stages.store.add_environment(workspace, specification)


@router.get("/{name}")
def show(control: Control, workspace: str, name: str, version: str | None = None) -> Environment:
    return control.stages.store.environment(workspace, name, version)


@router.post("/build")
def build(control: Control, workspace: str, wanted: EnvironmentBuild) -> StreamingResponse:
    """Locks and builds the environment, so that a later deployment finds it ready."""
    environments = control.stages.environments
    control.stages.store.workspace(workspace)
    stopping = threading.Event()

    def work(show: streams.Show) -> BuiltEnvironment:
        def on_line(line: str) -> None:
            show(Progress(message=line))

        lock = environments.lock(wanted.specification, wanted.interpreter, on_line, stopping.is_set)
        python = environments.build(lock, on_line, stopping.is_set)
        return BuiltEnvironment(python=python, packages=environments.packages(lock), notices=lock.notices)

    return streams.run(work)
