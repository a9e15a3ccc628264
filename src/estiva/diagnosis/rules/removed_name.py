"""The script, or a package, uses a name that the installed version of another package no longer has."""

from __future__ import annotations

import re

from estiva.diagnosis import packages, removals, tracebacks, wording
from estiva.records import Evidence, Finding, Traceback

_PATTERNS = (
    re.compile(r"No module named '(?P<name>[^']+)'"),
    re.compile(r"cannot import name '(?P<last>[^']+)' from '(?P<name>[^']+)'"),
    re.compile(r"module '(?P<name>[^']+)' has no attribute '(?P<last>[^']+)'"),
    re.compile(r"'(?P<name>\w+)' object has no attribute '(?P<last>[^']+)'"),
)
_KINDS = {"ModuleNotFoundError", "ImportError", "AttributeError"}


def check(evidence: Evidence) -> Finding | None:
    for raised in reversed(tracebacks.chain(evidence)):
        if raised.exception not in _KINDS or tracebacks.reads_file(raised):  # then it is the model's names
            continue
        for pattern in _PATTERNS:
            found = pattern.match(raised.message)
            parts = found.groupdict() if found else {}
            name = ".".join(filter(None, (parts.get("name"), parts.get("last"))))
            removal = removals.find(name)
            if removal is not None:
                return _finding(evidence, raised, name, removal)
    return None


def _finding(evidence: Evidence, raised: Traceback, name: str, removal: removals.Removal) -> Finding:
    version = packages.installed(evidence.packages, removal.package)
    has = f"{removal.package} {version}" if version else f"the installed {removal.package}"
    user = raised.package and packages.name_of(raised.package)
    use = (
        f"The package {user} is too old for {has}: take a newer {user}."
        if user
        else f"In {wording.place(raised) or 'the script'}, write {removal.instead}."
    )
    return Finding(
        code="NameRemoved",
        title=wording.title(raised, f"{name} is gone from {has}"),
        what=wording.exception(raised),
        why=f"It was removed in {removal.package} {removal.version}.",
        evidence=wording.quote(raised),
        todo=(use, f'Or put "{removal.package}<{removal.version}" into the environment.'),
    )
