"""Conda's notation of one package: "numpy=1.26", "conda-forge::scipy>=1.10,<2", "openssl=3.0=h1234_0"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from estiva.specification.refusals import refusal

_WHOLE = re.compile(
    r"(?:(?P<channel>[^\s=<>!~]+)::)?(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]*)(?P<rest>.*)", re.DOTALL
)
_WITH_BUILD = re.compile(r"={1,2}\s*(?P<version>[^\s=<>!~,|]+)\s*=\s*(?P<build>[^\s=,|]+)")
_BY_SPACES = re.compile(r"\s+(?P<version>[^\s=<>!~,|]+)(?:\s+(?P<build>[^\s=,|]+))?")
_CLAUSE = re.compile(r"(?P<operator>==|!=|>=|<=|~=|=|>|<)?\s*(?P<version>[A-Za-z0-9_.!+*-]+)")
_NUMBERS = re.compile(r"\d+(\.\d+)*")


@dataclass(frozen=True)
class CondaRequirement:
    name: str
    specifier: str
    """With PyPI's operators as far as they can say it: "", "==1.26.*", ">=1.10,<2"."""
    channel: str | None = None
    build: str | None = None


def parse_notation(text: str) -> CondaRequirement:
    """Reads one package in conda's notation; anything else is a `UserErrorException`."""
    match = _WHOLE.fullmatch(text.strip())
    if match is None or "[" in text:
        raise _refuse(text)
    name, rest = match["name"], match["rest"]
    exact = _WITH_BUILD.fullmatch(rest.strip()) or _BY_SPACES.fullmatch(rest)
    if exact:
        return CondaRequirement(name, _equal(exact["version"]), match["channel"], exact["build"])
    return CondaRequirement(name, _constraint(text, rest.strip()), match["channel"])


def python_version(requirement: CondaRequirement) -> str | None:
    """ "3.11", "3.11.7" or a range such as ">=3.9,<3.12"; None if any version will do."""
    version = requirement.specifier.removeprefix("==").removesuffix(".*")
    if not version or _NUMBERS.fullmatch(version):
        return version or None
    try:
        SpecifierSet(requirement.specifier)
    except InvalidSpecifier:
        raise refusal(f'"{requirement.specifier}" is not a Python version; write python=3.11.') from None
    return requirement.specifier


def _constraint(text: str, rest: str) -> str:
    if not rest:
        return ""
    if "|" in rest:  # alternatives: conda can choose between them, PyPI's notation cannot say them
        return rest
    clauses = [_CLAUSE.fullmatch(clause.strip()) for clause in rest.split(",")]
    if not all(clauses):
        raise _refuse(text)
    said = (_clause(clause["operator"] or "=", clause["version"]) for clause in clauses if clause)
    return ",".join(clause for clause in said if clause)


def _clause(operator: str, version: str) -> str:
    if operator == "=":
        return _like(version)
    if operator == "==":
        return _equal(version)
    # conda takes ">=1.8.*" for ">=1.8"
    return f"{operator}{version if operator == '!=' else version.removesuffix('.*')}"


def _equal(version: str) -> str:
    return _like(version) if version.endswith("*") else f"=={version}"


def _like(version: str) -> str:
    """What conda's single "=" means: this version, or one that begins so."""
    stem = version.rstrip("*").rstrip(".")
    if not stem:
        return ""
    return f"=={stem}.*" if _NUMBERS.fullmatch(stem) else f"=={stem}"


def _refuse(text: str) -> Exception:
    return refusal(
        f'"{text}" is not a package in conda\'s notation; write it like numpy=1.26 or numpy>=1.26,<2.'
    )
