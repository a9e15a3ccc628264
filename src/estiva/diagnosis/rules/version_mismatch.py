"""A model was saved with one version of a package and is loaded with another."""

from __future__ import annotations

import re

from estiva.diagnosis import packages, tracebacks, wording
from estiva.records import Evidence, Finding, Traceback

_WARNING = re.compile(
    r"Trying to unpickle estimator \S+ from version (?P<saved>\S+) when using version (?P<used>\S+?)\. "
)
_UNPICKLING = {"AttributeError", "ImportError", "KeyError", "ModuleNotFoundError", "TypeError", "ValueError"}
_PATTERNS = (
    r"No module named '(?P<module>[^']+)'",
    r"cannot import name '.+' from '(?P<module>[^']+)'",
    r"Can't get attribute '.+' on <module '(?P<module>[^']+)'",
    r"(?P<module>numpy)\.dtype size changed",
)


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    if not chain or chain[-1].exception not in _UNPICKLING:
        return None
    raised = chain[-1]
    warned = next(filter(None, map(_WARNING.search, reversed(tracebacks.plain(evidence.log_tail)))), None)
    return _warned(raised, warned) if warned else _suspected(evidence, raised)


def _warned(raised: Traceback, warned: re.Match[str]) -> Finding:
    saved, used = warned["saved"], warned["used"]
    return Finding(
        code="ModelVersionMismatch",
        title=f"The model was saved with scikit-learn {saved}, and the environment has {used}",
        what=f"Loading the model failed: {wording.title(raised, wording.exception(raised))}",
        why="scikit-learn does not promise that a saved model can be loaded by another version.",
        evidence=(warned[0].strip(), *wording.quote(raised)),
        todo=(
            f'Put "scikit-learn=={saved}" into the environment, then deploy again.',
            f"Or train and register the model again with scikit-learn {used}.",
        ),
        certainty=0.98,
    )


def _suspected(evidence: Evidence, raised: Traceback) -> Finding | None:
    """An installed package lacks what the script, or a saved model, expects of it."""
    for pattern in _PATTERNS:
        if found := re.search(pattern, raised.message):
            module = found["module"].split(".")[0]
            package = packages.provider(found["module"]) or module
            version = packages.installed(evidence.packages, package)
            return _lacking(raised, module, package, version) if version is not None else None
    return None


def _lacking(raised: Traceback, module: str, package: str, version: str) -> Finding:
    return Finding(
        code="PackageVersionMismatch",
        title=wording.title(raised, f"{package} {version} lacks what is expected of it"),
        what=wording.exception(raised),
        why=f"The script, or the model that it loads, was made with another version of {package}.",
        evidence=wording.quote(raised),
        todo=(
            f"Use the {package} that you trained with ({module}.__version__ names it) in the environment.",
            f"Or save the model again with {package} {version}.",
        ),
        certainty=0.9,
    )
