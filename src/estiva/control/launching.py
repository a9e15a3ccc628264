"""From a generation to what a target needs to start it."""

from __future__ import annotations

from collections.abc import Callable

from estiva.control import imports, locking
from estiva.control.stages import Stages
from estiva.environments import debugger
from estiva.errors import RegistryException
from estiva.records import DeploymentSpec, Launch, Lock, Mount, Service, ServiceKey, Tree
from estiva_server import contract


def build_environment(
    stages: Stages,
    workspace: str,
    spec: DeploymentSpec,
    on_line: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> tuple[Lock, str]:
    """The lock of the generation's environment, and the interpreter of the environment built from it."""
    lock = locking.lock(
        stages,
        workspace,
        spec.environment,
        spec.environment_version,
        spec.interpreter,
        on_line,
        cancelled,
        needed=imports.environment(stages.blobs, spec),
    )
    python = stages.environments.build(lock, on_line, cancelled)
    if spec.settings.debugger is not None:
        stages.environments.add_debugger(lock, on_line, cancelled)
    return lock, python


def launch(stages: Stages, service: Service, number: int, spec: DeploymentSpec, python: str) -> Launch:
    """What starts a generation of the service, with as many replicas as are wanted now.

    Where no gateway publishes the service, its only replica listens on the service's port itself.
    """
    address = None if stages.publisher.available else own_address(service)
    replicas = service.scaling.replicas if address is None else 1
    return content(stages, service.key, number, spec, python).model_copy(
        update={"replicas": replicas, "address": address}
    )


def own_address(service: Service) -> str | None:
    """The service's host and port, if it has a port of its own."""
    publication = service.publication
    if publication is None or publication.port is None:
        return None
    return f"{publication.host}:{publication.port}"


def content(stages: Stages, key: ServiceKey, number: int, spec: DeploymentSpec, python: str) -> Launch:
    """Checks the generation's content out and says where it goes: one replica that nothing publishes."""
    code = Mount(source=_checkout(stages, "the scripts", spec.code.tree), target=".", writable=True)
    models = [
        Mount(source=_checkout(stages, f"model {m.name}:{m.version}", m.tree), target=m.path, writable=False)
        for m in spec.models
    ]
    return Launch(
        key=key,
        generation=number,
        target=spec.target,
        replicas=1,
        python=python,
        debugpy=str(debugger.folder_of(python)) if spec.settings.debugger else "",
        mounts=(code, *models),
        entry_script=spec.code.entry_script,
        source_root=spec.code.source_root,
        model_dir=spec.models[0].path if len(spec.models) == 1 else contract.MODELS_FOLDER,
        variables={**spec.environment.variables, **spec.variables},
        secrets=spec.secrets,
        settings=spec.settings,
    )


def _checkout(stages: Stages, what: str, tree: Tree) -> str:
    """The folder that has the tree's content; an error says what of the service it belongs to."""
    try:
        return str(stages.checkouts.checkout(tree))
    except RegistryException as error:
        raise RegistryException(
            f"Of {what}: {error.message}", code=error.code, detail=error.detail
        ) from error
