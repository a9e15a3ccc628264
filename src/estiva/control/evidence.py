"""Collects what is known when a step fails: bounded, and with its secrets masked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from estiva.control.scripts import definitions
from estiva.control.stages import Stages
from estiva.errors import EstivaError, TargetException, WebserviceException
from estiva.masking import Mask, names_secret
from estiva.records import DeploymentSpec, Evidence, Lock, Replica, ReplicaPhase, ServiceKey, StepName

_LOG_LINES = 400
_DETAIL_CHARACTERS = 20_000
_MOST_FILES = 500


def of_failure(
    stages: Stages,
    key: ServiceKey,
    number: int,
    spec: DeploymentSpec,
    step: StepName,
    error: EstivaError,
    lock: Lock | None,
) -> Evidence:
    """Of a generation whose step ended with that error."""
    dead, log_tail = _last_words(stages, key, number)
    seen = Evidence(
        step=step,
        error=error.message,
        code=error.code,
        detail=error.detail[-_DETAIL_CHARACTERS:],
        exit_code=dead.exit_code if dead else None,
        signal=dead.signal if dead else None,
        log_tail=log_tail,
        packages=stages.environments.packages(lock) if lock else (),
    )
    return mask(stages, key, spec).record(seen.model_copy(update=content(stages, spec)))


def _last_words(stages: Stages, key: ServiceKey, number: int) -> tuple[Replica | None, tuple[str, ...]]:
    """The replica that ended, if one did, and the log; nothing if the place where they ran is away."""
    try:
        replicas = stages.fleet.observe(key).of(number)
        dead = next((replica for replica in replicas if replica.phase is ReplicaPhase.EXITED), None)
        return dead, tuple(stages.fleet.logs(key, generation=number, tail=_LOG_LINES))
    except TargetException:
        return None, ()


def mask(stages: Stages, key: ServiceKey, spec: DeploymentSpec) -> Mask:
    """Knows the secrets of a service."""
    return Mask(secrets(stages, key, spec))


def secrets(stages: Stages, key: ServiceKey, spec: DeploymentSpec) -> list[str]:
    """What must not be shown: secrets, variables that are named like one, and the keys of callers."""
    given = [secret.get_secret_value() for secret in spec.secrets.values()]
    named = [value for name, value in spec.variables.items() if names_secret(name)]
    return [*given, *named, *_keys(stages, key)]


def _keys(stages: Stages, key: ServiceKey) -> Iterable[str]:
    try:
        credentials = stages.store.credentials(key.workspace, key.service)
    except WebserviceException:  # a trial has none
        return ()
    return (credentials.primary_key.get_secret_value(), credentials.secondary_key.get_secret_value())


def content(stages: Stages, spec: DeploymentSpec) -> dict[str, object]:
    """What was shipped, and what was not."""
    models = (f"{model.path}/{file.path}" for model in spec.models for file in model.tree.files)
    files = [file.path for file in spec.code.tree.files]
    return {
        "entry_script": spec.code.entry_script,
        "definitions": _definitions(stages, spec),
        "files": tuple([*files, *models][:_MOST_FILES]),
        "left_behind": _left_behind(spec),
    }


def _definitions(stages: Stages, spec: DeploymentSpec) -> tuple[str, ...]:
    name = spec.code.entry_script
    digest = next((file.sha256 for file in spec.code.tree.files if file.path == name), None)
    if digest is None:
        return ()
    with stages.blobs.open(digest) as file:
        return definitions(file.read())


def _left_behind(spec: DeploymentSpec) -> tuple[str, ...]:
    """Names beside the user's entry script, which was shipped alone."""
    if spec.code.source_directory or not spec.code.entry_path:
        return ()
    entry = Path(spec.code.entry_path)
    try:
        names = sorted(os.listdir(entry.parent))  # noqa: PTH208  names, not paths
    except OSError:  # it is the user's folder, and may be gone
        return ()
    return tuple([name for name in names if name != entry.name and not name.startswith(".")][:_MOST_FILES])
