"""Specification -> lock: the exact, hashed packages for one interpreter, resolved once and kept."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import ValidationError

from estiva.environments import uv
from estiva.environments.defaults import Plan, substitute
from estiva.environments.explanations import explain
from estiva.environments.folders import exclusive, replace_text, translated
from estiva.environments.interpreters import Interpreter, matches, run_probe
from estiva.errors import EnvironmentException, UserErrorException
from estiva.records import EnvironmentSpecification, Lock
from estiva.specification import locked_packages, option_values, split_hashes

FOLDER_PREFIX = "# site-packages: "
"""Begins the lines of a borrowed lock that name the folders of the packages."""

# Options of pip that uv takes on its command line, or has no need of, rather than in a requirements file.
_NOT_IN_FILE = ("--pre", "--trusted-host", "--prefer-binary", "--require-hashes")


def resolve(
    spec: EnvironmentSpecification,
    interpreter: Interpreter,
    *,
    cache: Path,
    on_line: uv.OnLine,
    cancelled: uv.Cancelled,
    prefer: Lock | None = None,
) -> Lock:
    """The lock of `spec` for `interpreter`, from `cache` (a folder) if it was resolved before.

    Where several versions of a package would do, that of the lock `prefer` is taken.
    EnvironmentException with the codes of explanations.py, "Cancelled" or "BuildTimeout".
    """
    plan = substitute(spec)
    lock = _without_packages(spec, plan, interpreter)
    if not plan.requirements:
        return lock
    kept = cache / f"{_key(spec, plan, interpreter, prefer)}.json"
    requirements = _read(kept)
    if requirements is None:
        with translated(kept), exclusive(kept, on_line=on_line, cancelled=cancelled):
            compilation = _Compilation(spec, plan, interpreter, prefer)
            requirements = _read(kept) or compilation.run(kept, on_line, cancelled)
            lock = lock.model_copy(update={"requirements": requirements})
            replace_text(kept, lock.model_dump_json(indent=1))
    return lock.model_copy(update={"requirements": requirements})


def renew(
    spec: EnvironmentSpecification,
    interpreter: Interpreter,
    before: Lock,
    packages: Sequence[str],
    *,
    on_line: uv.OnLine,
    cancelled: uv.Cancelled,
) -> Lock:
    """The lock of `spec` as the package index is now: `packages` at their newest, or all if none is named.

    Nothing is taken from, or kept in, the cache of locks: what resolved before stays what it was.
    """
    _check_locked(before, packages)
    plan = substitute(spec)
    lock = _without_packages(spec, plan, interpreter)
    if not plan.requirements:
        return lock
    prefer = before if packages else None
    compilation = _Compilation(spec, plan, interpreter, prefer, tuple(packages), refresh=True)
    with tempfile.TemporaryDirectory(prefix="estiva-lock-") as folder:
        requirements = compilation.run(Path(folder) / "lock.json", on_line, cancelled)
    return lock.model_copy(update={"requirements": requirements})


def relocate(lock: Lock, interpreter: Interpreter) -> Lock:
    """A lock that was kept, for the interpreter that this machine has for it now."""
    return lock.model_copy(update={"python": interpreter.path, "python_version": interpreter.version})


def to_pylock(lock: Lock, *, on_line: uv.OnLine, cancelled: uv.Cancelled) -> str:
    """The lock as a pylock.toml: every file of every package with its address and hash."""
    if not lock.requirements or lock.borrowed:
        raise EnvironmentException("There are no locked packages to write down.", code="LockEmpty")
    with tempfile.TemporaryDirectory(prefix="estiva-lock-") as folder:
        asked = Path(folder) / "requirements.txt"
        asked.write_text(lock.requirements, encoding="utf-8")
        arguments = ["--format", "pylock.toml", "--no-deps", "--no-header", "--python-version"]
        outcome = uv.run(
            ["pip", "compile", str(asked), *arguments, lock.python_version],
            on_line=on_line,
            cancelled=cancelled,
        )
    if outcome.failed:
        raise explain(outcome.stderr)
    return outcome.stdout


def borrow(spec: EnvironmentSpecification, interpreter: Interpreter) -> Lock:
    """The lock of an environment that is used as it is: a list of what is installed there now."""
    path = str(spec.borrowed_from)
    said = run_probe(path, "installed")
    folders, packages = _texts(said.get("folders")), _texts(said.get("packages"))
    if not folders:
        raise EnvironmentException(
            f"The packages of {path} cannot be listed. Does that Python still work?", code="PythonNotFound"
        )
    return Lock(
        python=interpreter.path,
        python_version=interpreter.version,
        platform=interpreter.platform,
        requirements="\n".join([*(FOLDER_PREFIX + folder for folder in folders), *packages]) + "\n",
        borrowed=True,
        notices=(_borrowed_notice(path, len(packages), interpreter),),
    )


def packages(lock: Lock) -> tuple[str, ...]:
    """ "name==version" of each package in the lock; "name @ URL" for one that came from a URL."""
    lines = (
        re.sub(r"\s*\\$", "", line).strip() for line in lock.requirements.splitlines() if line[:1].isalnum()
    )
    return tuple(lines)


def _borrowed_notice(path: str, count: int, interpreter: Interpreter) -> str:
    return (
        f"No environment was given: the service uses the {count} packages of {path} "
        f"(Python {interpreter.version}) as they are. What changes there later reaches the service at its "
        "next start; give an environment to pin them."
    )


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _python_notice(spec: EnvironmentSpecification, interpreter: Interpreter) -> list[str]:
    if spec.python_version is None or matches(spec.python_version, interpreter.version):
        return []
    return [
        f"Python {spec.python_version} is not on this machine; {interpreter.version} of its series is used."
    ]


def _key(spec: EnvironmentSpecification, plan: Plan, interpreter: Interpreter, prefer: Lock | None) -> str:
    content = [plan.requirements, spec.pip_options, interpreter.version, interpreter.platform]
    content += [prefer.requirements] if prefer else []
    return hashlib.sha256(json.dumps([*content, _local_files(plan.requirements)]).encode()).hexdigest()


def _local_files(requirements: Iterable[str]) -> list[tuple[str, int, int]]:
    """Files of this machine that the requirements name, with size and time: a change resolves anew."""
    urls = (Requirement(split_hashes(text)[0]).url or "" for text in requirements)
    paths = (Path(unquote(urlsplit(url).path)) for url in urls if url.startswith("file:"))
    status = ((path, path.stat()) for path in paths if path.is_file())
    return [(str(path), each.st_size, each.st_mtime_ns) for path, each in status]


def _read(kept: Path) -> str | None:
    try:
        return Lock.model_validate_json(kept.read_bytes()).requirements or None
    except (OSError, ValidationError):  # absent, or damaged: resolve again
        return None


def _without_packages(spec: EnvironmentSpecification, plan: Plan, interpreter: Interpreter) -> Lock:
    return Lock(
        python=interpreter.path,
        python_version=interpreter.version,
        platform=interpreter.platform,
        requirements="",
        notices=(*_python_notice(spec, interpreter), *plan.notices),
    )


def _check_locked(before: Lock, names: Sequence[str]) -> None:
    known = locked_packages(before)
    for name in names:
        if canonicalize_name(name) not in known:
            raise UserErrorException(
                f'The environment has no package "{name}". It has: {", ".join(known) or "none"}.',
                code="PackageNotInLock",
            )


@dataclass(frozen=True)
class _Compilation:
    """What uv is asked for."""

    spec: EnvironmentSpecification
    plan: Plan
    interpreter: Interpreter
    prefer: Lock | None = None
    renewed: tuple[str, ...] = ()
    """Packages for which `prefer` does not count."""
    refresh: bool = False
    """Whether the package index is asked again for what uv has cached."""

    def run(self, kept: Path, on_line: uv.OnLine, cancelled: uv.Cancelled) -> str:
        """The hashed requirements; the files that this takes lie beside `kept` meanwhile."""
        asked, answer = kept.with_suffix(".in"), kept.with_suffix(".out")
        uv.end_orphans(str(asked))
        try:
            asked.write_text("\n".join([*self._options(), *self._requirements(), ""]), encoding="utf-8")
            answer.write_text(self.prefer.requirements if self.prefer else "", encoding="utf-8")
            outcome = uv.run(
                ["pip", "compile", str(asked), "--output-file", str(answer), *self._arguments()],
                on_line=on_line,
                cancelled=cancelled,
            )
            resolved = answer.read_text(encoding="utf-8")
        finally:
            asked.unlink(missing_ok=True)
            answer.unlink(missing_ok=True)
        if outcome.failed:
            raise explain(outcome.stderr, conda=self.plan.conda)
        allowed = _keep_hashes(resolved, _hashes(self.plan.requirements))
        return "\n".join([*self._options(), allowed, ""])

    def _options(self) -> list[str]:
        return [option for option in self.spec.pip_options if not option.startswith(_NOT_IN_FILE)]

    def _requirements(self) -> list[str]:
        return [split_hashes(text)[0] for text in self.plan.requirements]

    def _arguments(self) -> list[str]:
        interpreter = self.interpreter
        arguments = ["--python", interpreter.path, "--generate-hashes", "--no-header", "--no-annotate"]
        if interpreter.target:
            arguments += ["--python-version", interpreter.version, "--python-platform", interpreter.target]
        arguments += ["--refresh"] if self.refresh else []
        for name in self.renewed:
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
