"""From a generation to what a target needs to start it."""

from __future__ import annotations

from collections.abc import Callable

from estiva.control.stages import Stages
from estiva.records import DeploymentSpec, Launch, Lock, Mount, ServiceKey
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
    content = stages.checkouts.checkout
    code = Mount(source=str(content(spec.code.tree)), target=".", writable=True)
    models = [
        Mount(source=str(content(model.tree)), target=model.path, writable=False) for model in spec.models
    ]
    return Launch(
        key=key,
        generation=number,
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
