"""Locks of environments: those of registered versions are made once, and kept with the version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from estiva.control.stages import Stages
from estiva.errors import EnvironmentException
from estiva.messages import BundleImport, ImportedEnvironment, LockedEnvironment
from estiva.records import Environment, EnvironmentSpecification, Lock
from estiva.registry import names
from estiva.specification import differences

OnLine = Callable[[str], None]
Cancelled = Callable[[], bool]


def lock(
    stages: Stages,
    workspace: str,
    asked: EnvironmentSpecification,
    version: str | None,
    interpreter: str,
    on_line: OnLine,
    cancelled: Cancelled,
    *,
    needed: EnvironmentSpecification | None = None,
) -> Lock:
    """The lock of `needed`: of `asked`, with what the scripts take besides.

    Where `asked` is what the registered `version` says, that version's packages are taken.
    """
    needed = needed or asked
    registered = _registered(stages, workspace, asked, version)
    if registered is None:
        return stages.environments.lock(needed, interpreter, on_line, cancelled)
    kept = of_version(stages, workspace, registered, interpreter, on_line, cancelled)
    if needed == asked:
        return kept
    return stages.environments.lock(needed, interpreter, on_line, cancelled, prefer=(kept,))


def of_version(
    stages: Stages,
    workspace: str,
    environment: Environment,
    interpreter: str,
    on_line: OnLine,
    cancelled: Cancelled,
    platform: str | None = None,
) -> Lock:
    """The lock that is kept with the version for the platform (this machine's unless given).

    The first time it is made, with what the version before has where that still fits.
    """
    store, spec, name = stages.store, environment.specification, environment.name
    found = stages.environments.lock(
        spec,
        interpreter,
        on_line,
        cancelled,
        platform=platform,
        kept=store.locks(workspace, name, environment.version),
        prefer=store.locks(workspace, name, str(int(environment.version) - 1)),
    )
    return found if spec.borrowed_from else store.keep_lock(workspace, name, environment.version, found)


def update(
    stages: Stages,
    workspace: str,
    name: str,
    packages: Sequence[str],
    interpreter: str,
    on_line: OnLine,
    cancelled: Cancelled,
) -> LockedEnvironment:
    """A new version with the newest `packages` that the specification allows, or all if none is named.

    Where there is nothing newer, the newest version stays what it was. The versions before stay anyway.
    """
    newest = stages.store.environment(workspace, name)
    if newest.specification.borrowed_from:
        raise EnvironmentException(
            f"{name} uses the packages of {newest.specification.borrowed_from} as they are; update them "
            "there.",
            code="EnvironmentBorrowed",
        )
    before = of_version(stages, workspace, newest, interpreter, on_line, cancelled)
    after = stages.environments.renew(newest.specification, interpreter, before, packages, on_line, cancelled)
    changes = differences(before, after)
    if changes:
        newest = stages.store.update_environment(workspace, name, after)
    shown = stages.environments.shown(after if changes else before)
    return LockedEnvironment(name=name, version=newest.version, lock=shown, changes=changes)


def import_bundle(
    stages: Stages, workspace: str, wanted: BundleImport, on_line: OnLine, cancelled: Cancelled
) -> ImportedEnvironment:
    """Registers what is in the bundle, with its lock, and builds it from there."""
    specification, found = stages.environments.unpack(
        Path(wanted.path), wanted.interpreter, on_line, cancelled
    )
    name = wanted.name or specification.name
    names.environment_name(name)
    python = stages.environments.build(found, on_line, cancelled)
    environment = stages.store.add_environment(workspace, specification.model_copy(update={"name": name}))
    if stages.store.keep_lock(workspace, name, environment.version, found) != found:
        environment = stages.store.update_environment(workspace, name, found)
    packages = stages.environments.packages(found)
    return ImportedEnvironment(name=name, version=environment.version, python=python, packages=packages)


def _registered(
    stages: Stages, workspace: str, asked: EnvironmentSpecification, version: str | None
) -> Environment | None:
    """The version that `asked` came from, unless it was changed since, or is of another workspace."""
    if version is None:
        return None
    found = stages.store.find_environment(workspace, asked.name, version)
    return found if found and _said(found.specification) == _said(asked) else None


def _said(specification: EnvironmentSpecification) -> dict[str, object]:
    """All of it but what is never stored: a password."""
    return specification.model_dump(mode="json")
