"""What takes room on the disk and is needed by nothing any more: found, and freed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from estiva.control import launching
from estiva.control.stages import Stages
from estiva.errors import EstivaError
from estiva.messages import Freed, PruneResult
from estiva.records import Service

log = structlog.get_logger()

_PACKAGE_SECONDS = 24 * 3600.0
"""For so long the content of a package stays, for whoever has made it and saves it later."""


def prune(stages: Stages, dry_run: bool) -> PruneResult:
    """Frees environments, servers and contents of packages; with `dry_run` only says what it would free.

    What serves, runs, is being built, or is what a service would start again stays.
    """
    freed = [
        Freed(kind=leftover.kind, name=leftover.path.name, bytes=leftover.size)
        for leftover in stages.environments.leftovers(set(_used(stages)))
        if dry_run or stages.environments.free(leftover)
    ]
    for path in _old_packages(stages.home.packages):
        freed.append(Freed(kind="package", name=path.stem, bytes=path.stat().st_size))
        if not dry_run:
            path.unlink()
    if not dry_run:
        stages.prune()
    return PruneResult(freed=tuple(freed))


def _used(stages: Stages) -> Iterator[str]:
    """Digests of the environments that services have, or would start again."""
    for service in stages.store.services():
        for number in {service.desired, service.serving} - {None}:
            yield from _digest(stages, service, number)


def _digest(stages: Stages, service: Service, number: int | None) -> Iterator[str]:
    """Only of what was resolved: what was not cannot have been built, and is not resolved for this."""
    if number is None:
        return
    spec = stages.store.generation(service.key, number).spec
    try:
        lock = launching.environment_lock(stages, service.key.workspace, spec, log.debug, lambda: True)
    except EstivaError as error:
        log.info("no lock to keep", service=str(service.key), generation=number, code=error.code)
    else:
        yield lock.digest


def _old_packages(folder: Path) -> Iterator[Path]:
    """By their files' times; a clock that was wrong, in whatever direction, makes them old."""
    for path in sorted(folder.glob("*.tar")):
        if not 0 <= time.time() - path.stat().st_mtime < _PACKAGE_SECONDS:
            yield path
