"""From a generation to what a target needs to start it."""

from __future__ import annotations

from collections.abc import Callable

from estiva.control.stages import Stages
from estiva.errors import RegistryException
from estiva.records import DeploymentSpec, Launch, Lock, Mount, ServiceKey, Tree
from estiva_server import contract


def build_environment(
    stages: Stages, spec: DeploymentSpec, on_line: Callable[[str], None], cancelled: Callable[[], bool]
) -> tuple[Lock, str]:
    """The lock of the generation's environment, and the interpreter of the environment built from it."""
    lock = stages.environments.lock(spec.environment, spec.interpreter, on_line, cancelled)
    return lock, stages.environments.build(lock, on_line, cancelled)


def launch(
    stages: Stages, key: ServiceKey, number: int, spec: DeploymentSpec, python: str, port: int | None = None
) -> Launch:
    """Checks the generation's content out and says where all of it goes.

    `port` is given where no gateway publishes the service: its replica listens there itself.
    """
    code = Mount(source=_checkout(stages, "the scripts", spec.code.tree), target=".", writable=True)
    models = [
        Mount(source=_checkout(stages, f"model {m.name}:{m.version}", m.tree), target=m.path, writable=False)
        for m in spec.models
    ]
    return Launch(
        key=key,
        generation=number,
        target=spec.target,
        replicas=spec.settings.replicas if port is None else 1,
        python=python,
        mounts=(code, *models),
        entry_script=spec.code.entry_script,
        source_root=spec.code.source_root,
        model_dir=spec.models[0].path if len(spec.models) == 1 else contract.MODELS_FOLDER,
        variables={**spec.environment.variables, **spec.variables},
        secrets=spec.secrets,
        settings=spec.settings,
        address=None if port is None else f"{spec.settings.host}:{port}",
    )


def _checkout(stages: Stages, what: str, tree: Tree) -> str:
    """The folder that has the tree's content; an error says what of the service it belongs to."""
    try:
        return str(stages.checkouts.checkout(tree))
    except RegistryException as error:
        raise RegistryException(
            f"Of {what}: {error.message}", code=error.code, detail=error.detail
        ) from error
