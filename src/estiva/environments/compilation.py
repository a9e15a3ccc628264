"""What uv is asked to resolve, and what of its answer goes into a lock."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from estiva.environments import programs, uv
from estiva.environments.defaults import Plan
from estiva.environments.explanations import explain
from estiva.environments.interpreters import Interpreter
from estiva.errors import EnvironmentException
from estiva.records import EnvironmentSpecification, Lock
from estiva.specification import option_values, split_hashes

# Options of pip that uv takes on its command line, or has no need of, rather than in a requirements file.
_NOT_IN_FILE = ("--pre", "--trusted-host", "--prefer-binary", "--require-hashes")


@dataclass(frozen=True)
class Preference:
    """Which versions to take where several would do."""

    lock: Lock | None = None
    """Those in this lock."""
    renewed: tuple[str, ...] = ()
    """Packages for which that does not count."""
    refresh: bool = False
    """Whether the index and the channels are asked as they are now, whatever was cached or kept."""

    @property
    def requirements(self) -> str:
        return self.lock.requirements if self.lock else ""


NO_PREFERENCE = Preference()


@dataclass(frozen=True)
class Compilation:
    """What uv is asked for."""

    spec: EnvironmentSpecification
    plan: Plan
    interpreter: Interpreter
    preference: Preference = NO_PREFERENCE
    constraints: tuple[str, ...] = ()
    """Requirements that hold for packages that something needs, and ask for none themselves."""
    left_out: tuple[str, ...] = ()
    """Names of packages that are there otherwise."""

    def run(self, kept: Path, on_line: programs.OnLine, cancelled: programs.Cancelled) -> str:
        """The hashed requirements; the files that this takes lie beside `kept` meanwhile."""
        asked, answer, given = (kept.with_suffix(suffix) for suffix in (".in", ".out", ".constraints"))
        programs.end_orphans(str(asked))
        try:
            asked.write_text("\n".join([*self._options(), *self._requirements(), ""]), encoding="utf-8")
            answer.write_text(self.preference.requirements, encoding="utf-8")
            given.write_text("".join(f"{text}\n" for text in self.constraints), encoding="utf-8")
            outcome = uv.run(
                ["pip", "compile", str(asked), "--output-file", str(answer), *self._arguments(given)],
                on_line=on_line,
                cancelled=cancelled,
            )
            resolved = answer.read_text(encoding="utf-8")
        finally:
            for path in (asked, answer, given):
                path.unlink(missing_ok=True)
        if outcome.failed:
            raise explain(outcome.stderr, conda=self.plan.conda)
        allowed = _keep_hashes(resolved, _hashes(self.plan.requirements))
        return "\n".join([*self._options(), allowed, ""])

    def _options(self) -> list[str]:
        return [option for option in self.spec.pip_options if not option.startswith(_NOT_IN_FILE)]

    def _requirements(self) -> list[str]:
        return [split_hashes(text)[0] for text in self.plan.requirements]

    def _arguments(self, given: Path) -> list[str]:
        interpreter = self.interpreter
        arguments = ["--python", interpreter.path, "--generate-hashes", "--no-header", "--no-annotate"]
        if interpreter.elsewhere:
            arguments += ["--python-version", interpreter.version]
        if interpreter.target:
            arguments += ["--python-platform", interpreter.target]
        if self.constraints:
            arguments += ["--constraint", str(given)]
        for name in self.left_out:
            arguments += ["--no-emit-package", name]
        arguments += ["--refresh"] if self.preference.refresh else []
        for name in self.preference.renewed:
            arguments += ["--upgrade-package", name]
        if option_values(self.spec.pip_options, "--pre"):
            arguments += ["--prerelease", "allow"]
        for host in option_values(self.spec.pip_options, "--trusted-host"):
            arguments += ["--allow-insecure-host", host]
        return arguments


def _hashes(requirements: Iterable[str]) -> dict[str, frozenset[str]]:
    """Canonical name -> the hashes that the user allows, where any were given."""
    split = (split_hashes(text) for text in requirements)
    return {canonicalize_name(Requirement(text).name): frozenset(hashes) for text, hashes in split if hashes}


def _keep_hashes(resolved: str, allowed: dict[str, frozenset[str]]) -> str:
    """The lock with only the hashes that the user allowed, for those packages where hashes were given."""
    blocks = re.split(r"\n(?=\S)", resolved.strip())
    return "\n".join(_allowed_block(block, allowed) for block in blocks)


def _allowed_block(block: str, allowed: dict[str, frozenset[str]]) -> str:
    requirement, hashes = split_hashes(block.replace("\\\n", " "))
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    wanted = allowed.get(canonicalize_name(name[0])) if name else None
    if wanted is None:
        return block
    kept = [each for each in hashes if each in wanted]
    if not kept:
        raise EnvironmentException(
            f"None of the hashes that the environment gives for {requirement} belongs to a file that the "
            "package index has. Check the hashes, or name the index that has those files.",
            code="HashMismatch",
        )
    return " \\\n".join([requirement, *(f"    --hash={each}" for each in kept)])
