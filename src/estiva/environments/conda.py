"""Conda packages: solved for and installed by rattler, with what pip's section asks for on top."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from estiva.environments import channels, explanations, interpreters, locks, programs
from estiva.environments.compilation import Compilation, Preference
from estiva.environments.conda_explanations import explain_problem
from estiva.environments.defaults import SERVED, Plan, substitute
from estiva.environments.interpreters import Interpreter
from estiva.environments.offline import is_offline
from estiva.environments.platforms import PLATFORMS, conda_name
from estiva.environments.uv import without_foreign
from estiva.errors import EnvironmentException
from estiva.records import CondaPackage, EnvironmentSpecification, Lock
from estiva.specification import check_requirement, parse_notation, split_hashes

CACHE_VARIABLE = "RATTLER_CACHE_DIR"
"""Downloaded packages lie there, shared with other programs that use rattler."""

# rattler has no switch for it: with a proxy where nobody listens it fails at once, and its cache serves.
_NO_NETWORK = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")

# What packages for another platform may count on; of this machine's own, rattler finds out.
_VIRTUAL = {
    "linux": [["__unix", "0", "0"], ["__linux", "5.10", "0"], ["__glibc", "2.28", "0"]],
    "osx": [["__unix", "0", "0"], ["__osx", "13.0", "0"]],
}


@dataclass(frozen=True)
class CondaRequest:
    """What is asked of the channels, and of the package index after them."""

    spec: EnvironmentSpecification
    default_python: str
    """Serves where the specification names no version of Python, and to resolve pip's section."""
    series: str
    """Of that one, "3.11"."""
    addresses: tuple[str, ...]
    """Of the channels, the first one before the others."""
    strict: bool
    platform: str | None
    """As conda calls it; None is this machine's."""
    preference: Preference

    @property
    def subdir(self) -> str:
        return self.platform or conda_name(sysconfig.get_platform())

    @property
    def specs(self) -> list[str]:
        """In conda's notation, without what the scoring server stands in for."""
        asked = (text for text in self.spec.conda_packages if canonicalize_name(_name(text)) not in SERVED)
        return [_python(self.spec.python_version or self.series), *asked]

    @property
    def plan(self) -> Plan:
        """What pip's section asks for."""
        return substitute(self.spec.model_copy(update={"conda_packages": ()}))

    @property
    def preferred(self) -> list[CondaPackage]:
        before = self.preference.lock.conda if self.preference.lock else ()
        renewed = {canonicalize_name(name) for name in self.preference.renewed}
        return [package for package in before if canonicalize_name(package.name) not in renewed]

    def key(self) -> str:
        content = [self.specs, self.plan.requirements, self.spec.pip_options, self.addresses, self.strict]
        preferred = [package.url for package in self.preferred]
        content += [self.subdir, self.default_python, preferred, self.preference.requirements]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def resolve(
    request: CondaRequest, *, cache: Path, on_line: programs.OnLine, cancelled: programs.Cancelled
) -> Lock:
    """The lock of the request, from `cache` (a folder) if it was resolved before.

    EnvironmentException with the codes of conda_explanations.py and explanations.py, "PythonTooOld",
    "Cancelled" or "BuildTimeout".
    """

    def make(kept: Path) -> Lock:
        packages = _solve(request, on_line, cancelled)
        return _with_pip(request, packages, kept, on_line, cancelled)

    return locks.once(cache, request.key(), make, request.preference, on_line=on_line, cancelled=cancelled)


def install(lock: Lock, prefix: Path, *, on_line: programs.OnLine, cancelled: programs.Cancelled) -> None:
    """Fills `prefix` with the lock's conda packages; what is downloaded is checked against its hash."""
    on_line(f"Installing {len(lock.conda)} conda packages.")
    packages = [package.model_dump(mode="json") for package in lock.conda]
    content = {"do": "install", "packages": packages, "prefix": str(prefix)}
    _run(content, str(prefix), lock.conda, on_line, cancelled)


def fits(lock: Lock, platform: str | None, wanted: str) -> bool:
    """Whether a lock of conda packages is for that platform and that version of Python ("3.11")."""
    system = PLATFORMS[platform].system if platform else sysconfig.get_platform()
    same_system = lock.platform.startswith(f"{system}-")
    return bool(lock.conda) and same_system and interpreters.matches(wanted, lock.python_version)


# --- resolving -------------------------------------------------------------------------------------------


def _solve(
    request: CondaRequest, on_line: programs.OnLine, cancelled: programs.Cancelled
) -> tuple[CondaPackage, ...]:
    on_line(f"Solving for conda packages of {', '.join(map(programs.mask, request.addresses))}.")
    missing = channels.missing_folders(request.addresses)
    if missing:
        raise EnvironmentException(
            f"There is no conda channel at {', '.join(missing)}. Check the channels of the environment.",
            code="ChannelNotFound",
        )
    content = {
        "do": "solve",
        "channels": request.addresses,
        "specs": request.specs,
        "subdir": request.subdir,
        "strict": request.strict,
        "virtual": _VIRTUAL[request.subdir.split("-")[0]] if request.platform else [],
        "preferred": [package.model_dump(mode="json") for package in request.preferred],
    }
    answer = _run(content, request.key(), (), on_line, cancelled)
    packages = (CondaPackage.model_validate(each) for each in answer["packages"])
    return tuple(sorted(packages, key=lambda package: package.name))


def _with_pip(
    request: CondaRequest,
    packages: tuple[CondaPackage, ...],
    kept: Path,
    on_line: programs.OnLine,
    cancelled: programs.Cancelled,
) -> Lock:
    version = _python_version(packages)
    system = PLATFORMS[request.platform].system if request.platform else sysconfig.get_platform()
    series = "".join(version.split(".")[:2])
    interpreter = Interpreter(
        request.default_python,
        version,
        f"{system}-cpython-{series}",
        PLATFORMS[request.platform].uv if request.platform else "",
        elsewhere=True,
    )
    plan = request.plan
    there = _python_packages(packages, plan)
    compilation = Compilation(
        request.spec,
        plan,
        interpreter,
        request.preference,
        constraints=tuple(f"{name}=={version}" for name, version in there.items()),
        left_out=tuple(there),
    )
    return Lock(
        python="",
        python_version=version,
        platform=interpreter.platform,
        conda=packages,
        requirements=compilation.run(kept, on_line, cancelled) if plan.requirements else "",
        notices=plan.notices,
    )


def _python_version(packages: tuple[CondaPackage, ...]) -> str:
    version = next((package.version for package in packages if package.name == "python"), "")
    if not version or Version(version) < interpreters.OLDEST:
        raise EnvironmentException(
            f"The conda packages lead to Python {version or '(none)'}, but the scoring server needs Python "
            f"{interpreters.OLDEST} or newer. Ask for python={interpreters.OLDEST} or newer.",
            code="PythonTooOld",
        )
    return version


def _python_packages(packages: tuple[CondaPackage, ...], plan: Plan) -> dict[str, str]:
    """Name -> version of the conda packages that pip would find installed, and is not asked for itself."""
    asked = {canonicalize_name(_requirement_name(text)) for text in plan.requirements}
    found: dict[str, str] = {}
    for package in packages:
        name = canonicalize_name(package.name)
        needs_python = any(text.split()[0] == "python" for text in package.depends if text)
        if needs_python and name not in asked and _is_version(package.version):
            found[name] = package.version
    return found


def _requirement_name(text: str) -> str:
    return Requirement(split_hashes(check_requirement(text))[0]).name


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _name(text: str) -> str:
    return parse_notation(text).name


def _python(wanted: str) -> str:
    return f"python {wanted}.*" if wanted[0].isdigit() else f"python {wanted}"


# --- running rattler -------------------------------------------------------------------------------------


def _run(
    content: Mapping[str, object],
    mark: str,
    packages: Sequence[CondaPackage],
    on_line: programs.OnLine,
    cancelled: programs.Cancelled,
) -> dict[str, Any]:
    """The program's answer; `mark` names what it works on, for whoever has to end it."""
    with tempfile.TemporaryDirectory(prefix="estiva-conda-") as folder:
        request = Path(folder) / "request.json"  # may have credentials in it: the folder is the owner's alone
        request.write_text(json.dumps({**content, "cache": _cache()}), encoding="utf-8")
        outcome = programs.run(
            [sys.executable, "-I", programs.RATTLER_PROGRAM, str(request), mark],
            environ={**without_foreign(os.environ), **(_NO_NETWORK if is_offline() else {})},
            on_line=on_line,
            cancelled=cancelled,
        )
    try:
        answer = json.loads(outcome.stdout)
    except ValueError:
        answer = {"problem": "Crashed", "text": outcome.stderr}
    if is_offline() and "error sending request" in answer.get("text", ""):
        raise EnvironmentException(
            explanations.offline_text("A conda package"), code="Offline", detail=programs.mask(answer["text"])
        )
    if "problem" in answer:
        raise explain_problem(answer["problem"], programs.mask(answer["text"]), packages)
    return dict(answer)


def _cache() -> str:
    chosen = os.environ.get(CACHE_VARIABLE)
    return chosen or str(platformdirs.user_cache_path("rattler") / "cache")
