"""From a generation to what a target needs to start it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from estiva.control import imaging, imports, locking
from estiva.control.stages import Stages
from estiva.environments import debugger
from estiva.errors import RegistryException
from estiva.records import DeploymentSpec, Launch, Lock, Mount, Service, ServiceKey, Tree
from estiva_server import contract


@dataclass(frozen=True)
class Artifact:
    """What must exist before a generation can start: an interpreter with its packages, or an image."""

    python: str = ""
    lock: Lock | None = None
    """What the interpreter has; None for an image."""
    image: str = ""


def prepare(
    stages: Stages,
    workspace: str,
    spec: DeploymentSpec,
    on_line: Callable[[str], None],
    cancelled: Callable[[], bool],
    image: str = "",
) -> Artifact:
    """Builds what the generation's target runs, unless it exists. `image`: the one that it had before."""
    if runs_images(stages, spec):
        return Artifact(image=imaging.build_for_replicas(stages, workspace, spec, on_line, cancelled, image))
    lock, python = build_environment(stages, workspace, spec, on_line, cancelled)
    return Artifact(python=python, lock=lock)


def runs_images(stages: Stages, spec: DeploymentSpec) -> bool:
    return stages.fleet.target(spec.target).runs == "image"


def build_environment(
    stages: Stages,
    workspace: str,
    spec: DeploymentSpec,
    on_line: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> tuple[Lock, str]:
    """The lock of the generation's environment, and the interpreter of the environment built from it."""
    lock = environment_lock(stages, workspace, spec, on_line, cancelled)
    python = stages.environments.build(lock, on_line, cancelled)
    if spec.settings.debugger is not None:
        stages.environments.add_debugger(lock, on_line, cancelled)
    return lock, python


def environment_lock(
    stages: Stages,
    workspace: str,
    spec: DeploymentSpec,
    on_line: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> Lock:
    """The lock of the environment with what the scripts imply."""
    return locking.lock(
        stages,
        workspace,
        spec.environment,
        spec.environment_version,
        spec.interpreter,
        on_line,
        cancelled,
        needed=imports.environment(stages.blobs, spec),
    )


def launch(stages: Stages, service: Service, number: int, spec: DeploymentSpec, artifact: Artifact) -> Launch:
    """What starts a generation of the service, with as many replicas as are wanted now.

    Where no gateway publishes the service, its only replica listens on the service's port itself.
    """
    address = None if stages.publisher.available else own_address(service)
    replicas = service.scaling.replicas if address is None else 1
    return content(stages, service.key, number, spec, artifact).model_copy(
        update={"replicas": replicas, "address": address}
    )


def own_address(service: Service) -> str | None:
    """The service's host and port, if it has a port of its own."""
    publication = service.publication
    if publication is None or publication.port is None:
        return None
    return f"{publication.host}:{publication.port}"


def content(stages: Stages, key: ServiceKey, number: int, spec: DeploymentSpec, artifact: Artifact) -> Launch:
    """Checks the generation's content out and says where it goes: one replica that nothing publishes.

    An image has the models, but not the code.
    """
    code = Mount(source=_checkout(stages, "the scripts", spec.code.tree), target=".", writable=True)
    models = [
        Mount(source=_checkout(stages, f"model {m.name}:{m.version}", m.tree), target=m.path, writable=False)
        for m in (() if artifact.image else spec.models)
    ]
    return Launch(
        key=key,
        generation=number,
        target=spec.target,
        replicas=1,
        python=artifact.python,
        image=artifact.image,
        debugpy=_debugpy(spec, artifact.python),
        mounts=(code, *models),
        entry_script=spec.code.entry_script,
        source_root=spec.code.source_root,
        model_dir=spec.models[0].path if len(spec.models) == 1 else contract.MODELS_FOLDER,
        variables={**spec.environment.variables, **spec.variables, **_collection(stages, key, spec)},
        secrets=spec.secrets,
        settings=spec.settings,
    )


def _debugpy(spec: DeploymentSpec, python: str) -> str:
    """Where a venv in debug mode has it; an image says that itself."""
    return str(debugger.folder_of(python)) if spec.settings.debugger and python else ""


def _collection(stages: Stages, key: ServiceKey, spec: DeploymentSpec) -> dict[str, str]:
    """Where collected data go, if they are to be collected: a container does not see the home's folders."""
    wanted = spec.variables.get(contract.COLLECTION_VARIABLE, "").lower() == "true"
    if not wanted or spec.target != "process":
        return {}
    return {contract.COLLECTED_VARIABLE: str(stages.home.collected(key.workspace, key.service))}


def _checkout(stages: Stages, what: str, tree: Tree) -> str:
    """The folder that has the tree's content; an error says what of the service it belongs to."""
    try:
        return str(stages.checkouts.checkout(tree))
    except RegistryException as error:
        raise RegistryException(
            f"Of {what}: {error.message}", code=error.code, detail=error.detail
        ) from error
