"""Registered environments, and building one without deploying."""

from __future__ import annotations

import threading
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from estiva.control import imaging, inference, locking
from estiva.control.api import streams
from estiva.control.api.access import Control
from estiva.control.server import Server
from estiva.environments.offline import offline
from estiva.messages import (
    BuiltEnvironment,
    BundleExport,
    BundleImport,
    EnvironmentBuild,
    EnvironmentImage,
    EnvironmentInference,
    ImportedEnvironment,
    InferredEnvironment,
    LockedEnvironment,
    LockRequest,
    Progress,
    UpdateRequest,
)
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

        with offline(wanted.offline):
            lock = locking.lock(
                control.stages,
                workspace,
                wanted.specification,
                wanted.version,
                wanted.interpreter,
                on_line,
                stopping.is_set,
            )
            python = environments.build(lock, on_line, stopping.is_set)
        return BuiltEnvironment(python=python, packages=environments.packages(lock), notices=lock.notices)

    return streams.run(work)


@router.post("/image")
def build_image(control: Control, workspace: str, wanted: EnvironmentBuild) -> StreamingResponse:
    """Builds the image of the environment, so that a later deployment or package finds it ready."""
    return _image(control, workspace, wanted, build=True)


@router.post("/image/details")
def image(control: Control, workspace: str, wanted: EnvironmentBuild) -> StreamingResponse:
    return _image(control, workspace, wanted, build=False)


def _image(control: Server, workspace: str, wanted: EnvironmentBuild, build: bool) -> StreamingResponse:
    control.stages.store.workspace(workspace)

    def work(show: streams.Show) -> EnvironmentImage:
        def on_line(line: str) -> None:
            show(Progress(message=line))

        return imaging.environment_image(
            control.stages, workspace, wanted, on_line, control.stopping.is_set, build
        )

    return streams.run(work)


@router.post("/{name}/lock")
def lock(control: Control, workspace: str, name: str, wanted: LockRequest) -> StreamingResponse:
    """The lock that is kept with the version; made and kept the first time."""
    stages = control.stages
    environment = stages.store.environment(workspace, name, wanted.version)

    def work(show: streams.Show) -> LockedEnvironment:
        def on_line(line: str) -> None:
            show(Progress(message=line))

        stopping = control.stopping.is_set
        found = locking.of_version(
            stages, workspace, environment, wanted.interpreter, on_line, stopping, wanted.platform
        )
        text = stages.environments.pylock(found, on_line, stopping) if wanted.pylock else ""
        shown = stages.environments.shown(found)
        return LockedEnvironment(name=name, version=environment.version, lock=shown, pylock=text)

    return streams.run(work)


@router.post("/{name}/update")
def update(control: Control, workspace: str, name: str, wanted: UpdateRequest) -> StreamingResponse:
    """A new version with newer packages, if there are any."""

    def work(show: streams.Show) -> LockedEnvironment:
        def on_line(line: str) -> None:
            show(Progress(message=line))

        return locking.update(
            control.stages,
            workspace,
            name,
            wanted.packages,
            wanted.interpreter,
            on_line,
            control.stopping.is_set,
        )

    control.stages.store.environment(workspace, name)
    return streams.run(work)


@router.post("/{name}/export")
def export(control: Control, workspace: str, name: str, wanted: BundleExport) -> StreamingResponse:
    """Writes a bundle: all that the version is made from on this machine."""
    stages = control.stages
    environment = stages.store.environment(workspace, name, wanted.version)

    def work(show: streams.Show) -> BundleExport:
        def on_line(line: str) -> None:
            show(Progress(message=line))

        stopping = control.stopping.is_set
        found = locking.of_version(stages, workspace, environment, wanted.interpreter, on_line, stopping)
        target = Path(wanted.path)
        stages.environments.export(environment.specification, found, target, on_line, stopping)
        return wanted.model_copy(update={"version": environment.version})

    return streams.run(work)


@router.post("/infer")
def infer(control: Control, workspace: str, wanted: EnvironmentInference) -> InferredEnvironment:
    """Proposes the environment of a score script and its model; nothing is registered."""
    control.stages.store.workspace(workspace)
    return inference.infer(control.stages, wanted)


@router.post("/import")
def import_bundle(control: Control, workspace: str, wanted: BundleImport) -> StreamingResponse:
    """Registers and builds what is in a bundle; no network is asked."""
    control.stages.store.workspace(workspace)

    def work(show: streams.Show) -> ImportedEnvironment:
        def on_line(line: str) -> None:
            show(Progress(message=line))

        return locking.import_bundle(control.stages, workspace, wanted, on_line, control.stopping.is_set)

    return streams.run(work)
