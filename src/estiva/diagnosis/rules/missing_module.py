"""The script imports a module that is not in the environment."""

from __future__ import annotations

import re

from estiva.diagnosis import packages, tracebacks, wording
from estiva.records import Evidence, Finding, Traceback

_NO_MODULE = re.compile(r"No module named '(?P<module>[^']+)'")


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    for raised in reversed(chain):
        found = _NO_MODULE.match(raised.message)
        if raised.exception == "ModuleNotFoundError" and found:
            certainty = 1.0 if raised is chain[-1] else 0.9
            return _finding(evidence, raised, found["module"], certainty)
    return None


def _finding(evidence: Evidence, raised: Traceback, module: str, certainty: float) -> Finding | None:
    known = packages.provider(module)
    package = known or module.split(".")[0]
    if packages.installed(evidence.packages, package) is not None:
        return None  # the package is there, in another version
    subject = f"The package {known}" if known else f"The module {package}"
    return Finding(
        code="ModuleMissing",
        title=f"{subject} is not in the environment",
        what=f"{wording.place(raised) or 'The script'}, needs the module {module}.",
        why=f"{f'The module {module} comes with the package {known}. ' if known else ''}{_count(evidence)}",
        evidence=wording.quote(raised),
        todo=_todo(package, known is not None),
        certainty=certainty,
    )


def _count(evidence: Evidence) -> str:
    if not evidence.packages:
        return "The environment does not have it."
    return f"It is not among the environment's {len(evidence.packages)} packages."


def _todo(package: str, known: bool) -> tuple[str, ...]:
    add = (
        f'Add "- {package}" below "pip:" in the environment\'s YAML '
        f'(in Python: CondaDependencies.add_pip_package("{package}")), then deploy again.'
    )
    ship = (
        f"If {package} is a file of your own, ship its folder with the script: "
        "InferenceConfig(source_directory=...)."
    )
    return (add,) if known else (add, ship)
