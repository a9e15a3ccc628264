"""Specification -> lock: the exact, hashed packages for one interpreter, resolved once and kept."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import ValidationError

from estiva.environments import programs
from estiva.environments.compilation import NO_PREFERENCE, Compilation, Preference
from estiva.environments.defaults import Plan, substitute
from estiva.environments.folders import exclusive, replace_text, translated
from estiva.environments.interpreters import Interpreter, matches, run_probe
from estiva.errors import EnvironmentException, UserErrorException
from estiva.records import EnvironmentSpecification, Lock
from estiva.specification import locked_packages, split_hashes

FOLDER_PREFIX = "# site-packages: "
"""Begins the lines of a borrowed lock that name the folders of the packages."""


def resolve(
    spec: EnvironmentSpecification,
    interpreter: Interpreter,
    *,
    cache: Path,
    on_line: programs.OnLine,
    cancelled: programs.Cancelled,
    preference: Preference = NO_PREFERENCE,
) -> Lock:
    """The lock of `spec` for `interpreter`, from `cache` (a folder) if it was resolved before.

    EnvironmentException with the codes of explanations.py, "Cancelled" or "BuildTimeout".
    """
    plan = substitute(spec)
    lock = _without_packages(spec, plan, interpreter)
    if not plan.requirements:
        return lock
    compilation = Compilation(spec, plan, interpreter, preference)

    def make(kept: Path) -> Lock:
        return lock.model_copy(update={"requirements": compilation.run(kept, on_line, cancelled)})

    key = _key(spec, plan, interpreter, preference)
    made = once(cache, key, make, preference, on_line=on_line, cancelled=cancelled)
    return lock.model_copy(update={"requirements": made.requirements})


def once(
    cache: Path,
    key: str,
    make: Callable[[Path], Lock],
    preference: Preference,
    *,
    on_line: programs.OnLine,
    cancelled: programs.Cancelled,
) -> Lock:
    """The lock that `cache` has for the key, else the one that `make` makes, which is then kept there.

    `make` is handed the path where it will be: files that it needs lie beside it meanwhile. What is to be
    fresh is neither taken from the cache nor kept there: what resolved before stays what it was.
    """
    if preference.refresh:
        with tempfile.TemporaryDirectory(prefix="estiva-lock-") as folder:
            return make(Path(folder) / "lock.json")
    kept = cache / f"{key}.json"
    lock = _read(kept)
    if lock is None:
        with translated(kept), exclusive(kept, on_line=on_line, cancelled=cancelled):
            lock = _read(kept) or make(kept)
            replace_text(kept, lock.model_dump_json(indent=1))
    return lock


def relocate(lock: Lock, interpreter: Interpreter) -> Lock:
    """A lock that was kept, for the interpreter that this machine has for it now."""
    return lock.model_copy(update={"python": interpreter.path, "python_version": interpreter.version})


def masked(lock: Lock) -> Lock:
    """The lock without the passwords and tokens in its addresses: to be shown, not to be used."""
    conda = tuple(each.model_copy(update={"url": programs.mask(each.url)}) for each in lock.conda)
    return lock.model_copy(update={"requirements": programs.mask(lock.requirements), "conda": conda})


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
    return (*(f"{package.name}=={package.version}" for package in lock.conda), *lines)


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


def _key(spec: EnvironmentSpecification, plan: Plan, interpreter: Interpreter, preference: Preference) -> str:
    content = [plan.requirements, spec.pip_options, interpreter.version, interpreter.platform]
    content += [preference.requirements] if preference.lock else []
    return hashlib.sha256(json.dumps([*content, _local_files(plan.requirements)]).encode()).hexdigest()


def _local_files(requirements: Iterable[str]) -> list[tuple[str, int, int]]:
    """Files of this machine that the requirements name, with size and time: a change resolves anew."""
    urls = (Requirement(split_hashes(text)[0]).url or "" for text in requirements)
    paths = (Path(unquote(urlsplit(url).path)) for url in urls if url.startswith("file:"))
    status = ((path, path.stat()) for path in paths if path.is_file())
    return [(str(path), each.st_size, each.st_mtime_ns) for path, each in status]


def _read(kept: Path) -> Lock | None:
    try:
        return Lock.model_validate_json(kept.read_bytes())
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


def check_locked(before: Lock, names: Sequence[str]) -> None:
    known = locked_packages(before)
    for name in names:
        if canonicalize_name(name) not in known:
            raise UserErrorException(
                f'The environment has no package "{name}". It has: {", ".join(known) or "none"}.',
                code="PackageNotInLock",
            )
