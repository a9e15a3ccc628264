"""How a specification becomes a lock: from locks that were kept, conda's channels, or the package index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from estiva.environments import channels, conda, interpreters, locks, programs, shipping
from estiva.environments.compilation import NO_PREFERENCE, Preference
from estiva.environments.conda import CondaRequest
from estiva.environments.interpreters import Interpreter
from estiva.environments.platforms import conda_platform, platform_named
from estiva.errors import EnvironmentException
from estiva.records import EnvironmentSpecification, Lock


@dataclass(frozen=True)
class Resolution:
    """One specification for one platform."""

    spec: EnvironmentSpecification
    default_python: str
    """Serves when the specification names no other."""
    platform: str | None
    """As conda or Docker calls it; None is this machine's."""
    cache: Path
    on_line: programs.OnLine
    cancelled: programs.Cancelled

    def run(self, kept: Sequence[Lock], prefer: Sequence[Lock]) -> Lock:
        """The lock among `kept` that is for the platform, else a new one, with the versions of `prefer`."""
        found = self._of_channels(kept) or self._of_index(kept)
        if found:
            return found
        if not self._wants_channels():
            return self._compile(prefer)
        addresses = channels.current_settings().addresses(self.spec.channels)
        if self.spec.resolver == "conda" or channels.reachable(addresses):
            return self._solve(Preference(self._of_channels(prefer)))
        lock = self._compile(prefer)
        named = ", ".join(map(programs.mask, self.spec.channels or channels.DEFAULT))
        notice = f"No conda channel can be reached ({named}); PyPI takes their place."
        return lock.model_copy(update={"notices": (notice, *lock.notices)})

    def renew(self, before: Lock, packages: Sequence[str]) -> Lock:
        """A new lock with `packages` at their newest, or all if none is named, whatever was kept."""
        locks.check_locked(before, packages)
        preference = Preference(before if packages else None, tuple(packages), refresh=True)
        return self._solve(preference) if before.conda else self._resolve(self._interpreter(), preference)

    # --- conda's channels ----------------------------------------------------------------------------

    def _wants_channels(self) -> bool:
        if self.spec.resolver != "auto":
            return self.spec.resolver == "conda"
        return bool(self.spec.conda_packages) or self._lacks_python()

    def _lacks_python(self) -> bool:
        try:
            self._interpreter()
        except EnvironmentException as error:
            if error.code == "PythonNotFound":
                return True
            raise
        return False

    def _solve(self, preference: Preference) -> Lock:
        settings = channels.current_settings()
        request = CondaRequest(
            spec=self.spec,
            default_python=self.default_python,
            series=shipping.series_of(None, self.default_python),
            addresses=settings.addresses(self.spec.channels),
            strict=settings.strict,
            platform=conda_platform(self.platform) if self.platform else None,
            preference=preference,
        )
        return conda.resolve(request, cache=self.cache, on_line=self.on_line, cancelled=self.cancelled)

    def _of_channels(self, made: Sequence[Lock]) -> Lock | None:
        if not any(lock.conda for lock in made):
            return None
        wanted = self.spec.python_version or shipping.series_of(None, self.default_python)
        platform = conda_platform(self.platform) if self.platform else None
        return next((lock for lock in made if conda.fits(lock, platform, wanted)), None)

    # --- the package index ---------------------------------------------------------------------------

    def _of_index(self, made: Sequence[Lock]) -> Lock | None:
        pip = [lock for lock in made if not lock.conda]
        if not pip:
            return None
        interpreter = self._interpreter()
        found = next((lock for lock in pip if lock.platform == interpreter.platform), None)
        return locks.relocate(found, interpreter) if found else None

    def _compile(self, prefer: Sequence[Lock]) -> Lock:
        preferred = self._of_index(prefer)
        preference = Preference(preferred) if preferred else NO_PREFERENCE
        return self._resolve(self._interpreter(), preference)

    def _resolve(self, interpreter: Interpreter, preference: Preference) -> Lock:
        return locks.resolve(
            self.spec,
            interpreter,
            cache=self.cache,
            on_line=self.on_line,
            cancelled=self.cancelled,
            preference=preference,
        )

    def _interpreter(self) -> Interpreter:
        if self.platform is None:
            return interpreters.find(self.spec.python_version, self.default_python)
        series = shipping.series_of(self.spec.python_version, self.default_python)
        return platform_named(self.platform).interpreter(series, self.default_python)
