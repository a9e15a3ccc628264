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
    own = _own(evidence, package) if known is None else None
    subject = f"The package {known}" if known else f"The module {package}"
    needs = "loads a model that needs" if tracebacks.reads_file(raised) else "needs"
    return Finding(
        code="ModuleMissing",
        title=f"{own} was not shipped" if own else f"{subject} is not in the environment",
        what=f"{wording.place(raised) or 'The script'}, {needs} the module {module}.",
        why=_why(evidence, module, known, own),
        evidence=wording.quote(raised),
        todo=_todo(package, known is not None, own),
        certainty=certainty,
    )


def _own(evidence: Evidence, module: str) -> str | None:
    """The user's own file or folder of that name, which was not shipped."""
    return next((name for name in evidence.left_behind if name in (f"{module}.py", module)), None)


def _why(evidence: Evidence, module: str, known: str | None, own: str | None) -> str:
    if own:
        return f"{own} lies beside the script on your machine, but only the script itself was shipped."
    count = f"It is not among the environment's {len(evidence.packages)} packages."
    absent = count if evidence.packages else "The environment does not have it."
    return f"The module {module} comes with the package {known}. {absent}" if known else absent


def _todo(package: str, known: bool, own: str | None) -> tuple[str, ...]:
    if own:
        return (
            (
                "Ship the folder with the script: `--source FOLDER` (the script's path is then below it), or "
                "InferenceConfig(source_directory=...)."
            ),
        )
    add = (
        f'Add "- {package}" below "pip:" in the environment\'s YAML '
        f'(in Python: CondaDependencies.add_pip_package("{package}")), then deploy again.'
    )
    ship = (
        f"If {package} is a file of your own, ship its folder with the script: "
        "InferenceConfig(source_directory=...)."
    )
    return (add,) if known else (add, ship)
