"""Specification -> lock -> virtual environment with the scoring server in it."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from pathlib import Path

from estiva.environments import bundles, debugger, interpreters, locks, pruning, shipping, venvs
from estiva.environments.programs import Cancelled, OnLine
from estiva.environments.pruning import Leftover
from estiva.environments.pylock import to_pylock
from estiva.environments.resolution import Resolution
from estiva.errors import EnvironmentException
from estiva.records import EnvironmentSpecification, Lock

_FRESH_SECONDS = 60.0
"""For so long after it was asked for, an environment need not run: somebody is about to start it."""


class Environments:
    """All environments below one folder.

    `root`: the folder; `server_source`: the folder of the `estiva_server` package that goes into each.
    `on_line` is handed what uv tells, line by line; when `cancelled()` becomes true, the work ends at once
    with an EnvironmentException of code "Cancelled".
    """

    def __init__(self, root: Path, server_source: Path) -> None:
        self.root = root
        self.server_source = server_source
        self._served: dict[str, float] = {}

    def lock(
        self,
        spec: EnvironmentSpecification,
        default_python: str,
        on_line: OnLine,
        cancelled: Cancelled,
        *,
        platform: str | None = None,
        kept: Sequence[Lock] = (),
        prefer: Sequence[Lock] = (),
    ) -> Lock:
        """What `spec` resolves to; `default_python` serves when it names no other Python. Idempotent.

        `platform`: another than this machine's, as conda or Docker calls it. `kept`: locks that were made of
        it before; that of the platform is taken. `prefer`: locks whose versions are taken where they fit.
        """
        if spec.borrowed_from:
            return locks.borrow(spec, interpreters.find(None, spec.borrowed_from))
        resolution = self._resolution(spec, default_python, platform, on_line, cancelled)
        return resolution.run(kept, prefer)

    def renew(
        self,
        spec: EnvironmentSpecification,
        default_python: str,
        before: Lock,
        packages: Sequence[str],
        on_line: OnLine,
        cancelled: Cancelled,
    ) -> Lock:
        """What `spec` resolves to now, with `packages` at their newest, or all if none is named."""
        resolution = self._resolution(spec, default_python, None, on_line, cancelled)
        return resolution.renew(before, packages)

    def pylock(self, lock: Lock, on_line: OnLine, cancelled: Cancelled) -> str:
        """The lock as the text of a pylock.toml."""
        return to_pylock(lock, on_line=on_line, cancelled=cancelled)

    def shown(self, lock: Lock) -> Lock:
        """The lock without the passwords and tokens in it."""
        return locks.masked(lock)

    def build(self, lock: Lock, on_line: OnLine, cancelled: Cancelled) -> str:
        """The interpreter of the built environment; `python -m estiva_server` works in it. Idempotent."""
        self._served[lock.digest] = time.monotonic()
        venvs.build(
            lock, root=self.root, server_source=self.server_source, on_line=on_line, cancelled=cancelled
        )
        self._served[lock.digest] = time.monotonic()
        return str(venvs.python_of(lock, root=self.root))

    def add_debugger(self, lock: Lock, on_line: OnLine, cancelled: Cancelled) -> None:
        """Puts debugpy beside the built environment, unless it is one of its packages. Idempotent."""
        if not any(package.startswith("debugpy==") for package in self.packages(lock)):
            python = str(venvs.python_of(lock, root=self.root))
            debugger.install(python, on_line=on_line, cancelled=cancelled)

    def packages(self, lock: Lock) -> tuple[str, ...]:
        """ "name==version" of each package in the lock."""
        return locks.packages(lock)

    def ship(
        self,
        spec: EnvironmentSpecification,
        default_python: str,
        machine: str,
        wheels: str,
        on_line: OnLine,
        cancelled: Cancelled,
    ) -> shipping.Shipment:
        """What `spec` needs to be built in an image for `machine` ("amd64"); `wheels`: a folder in there."""
        if spec.resolver == "conda":
            raise EnvironmentException(
                "The environment insists on conda packages from channels, which images do not have: there, "
                'packages come from PyPI. Take the resolver "auto" or "pypi", or a base image that has them.',
                code="CondaInImage",
            )
        series = shipping.series_of(spec.python_version, default_python)
        target = shipping.interpreter_for(series, default_python, machine)
        if spec.borrowed_from:
            lock = locks.borrow(spec, interpreters.find(None, spec.borrowed_from))
        else:
            lock = locks.resolve(
                spec, target, cache=self.root / "locks", on_line=on_line, cancelled=cancelled
            )
        return shipping.ship(lock, series, wheels)

    def export(
        self,
        specification: EnvironmentSpecification,
        lock: Lock,
        target: Path,
        on_line: OnLine,
        cancelled: Cancelled,
    ) -> None:
        """Builds the environment, and writes all that it was made from into one file."""
        python = self.build(lock, on_line, cancelled)
        bundles.export(specification, lock, python, target, on_line=on_line, cancelled=cancelled)

    def unpack(
        self, bundle: Path, default_python: str, on_line: OnLine, cancelled: Cancelled
    ) -> tuple[EnvironmentSpecification, Lock]:
        """What is in a bundle: the specification, and its lock on this machine."""
        specification, lock = bundles.unpack(bundle, root=self.root, on_line=on_line, cancelled=cancelled)
        if lock.conda:
            return specification, lock
        wanted = ".".join(lock.python_version.split(".")[:2])
        interpreter = interpreters.find(wanted, default_python)
        if interpreter.platform != lock.platform:
            raise EnvironmentException(
                f"The bundle is for {lock.platform}, and this machine is {interpreter.platform}. Export it "
                "on a machine like this one.",
                code="PlatformUnknown",
            )
        return specification, locks.relocate(lock, interpreter)

    def modules(self, python: str) -> dict[str, str]:
        """Top-level modules that `python` has installed -> "name==version" of the distribution."""
        return {module: str(found) for module, found in interpreters.run_probe(python, "modules").items()}

    def leftovers(self, used: Collection[str]) -> list[Leftover]:
        """What nothing needs: neither the locks of these digests, nor what runs, nor who was just served."""
        fresh = {digest for digest, when in self._served.items() if time.monotonic() - when < _FRESH_SECONDS}
        return pruning.leftovers(self.root, {*used, *fresh})

    def free(self, leftover: Leftover) -> bool:
        """Removes it unless it is being made; says whether it went."""
        return pruning.free(leftover)

    def uv_for(self, machine: str, on_line: OnLine, cancelled: Cancelled) -> Path:
        """A uv that runs on a Linux machine of that kind. Idempotent."""
        return shipping.uv_for(machine, root=self.root, on_line=on_line, cancelled=cancelled)

    def ready(self, lock: Lock) -> bool:
        """Whether `build` would have nothing to do."""
        return venvs.is_ready(lock, root=self.root, server_source=self.server_source)

    def _resolution(
        self,
        spec: EnvironmentSpecification,
        default_python: str,
        platform: str | None,
        on_line: OnLine,
        cancelled: Cancelled,
    ) -> Resolution:
        return Resolution(spec, default_python, platform, self.root / "locks", on_line, cancelled)
