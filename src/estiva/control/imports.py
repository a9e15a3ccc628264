"""What scripts import that the scoring server stands in for in part, and the packages that this takes.

In Azure ML they come with azureml-defaults. Here a script that uses them gets them, and no other pays for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from estiva.control.scripts import parse
from estiva.environments import debugger
from estiva.records import DeploymentSpec, EnvironmentSpecification
from estiva.registry.blobs import Blobs
from estiva.specification import parse_notation, split_hashes

_RAW = "werkzeug>=2,<4"
_SCHEMA = "inference-schema>=1.8,<2"
_TAKES = {
    "azureml.contrib.services": _RAW,
    "azureml_inference_server_http.api": _RAW,
    "estiva_server.AMLRequest": _RAW,
    "estiva_server.AMLResponse": _RAW,
    "estiva_server.rawhttp": _RAW,
    "inference_schema": _SCHEMA,
    "debugpy": debugger.REQUIREMENT,
    "ptvsd": debugger.REQUIREMENT,
}


def environment(blobs: Blobs, spec: DeploymentSpec) -> EnvironmentSpecification:
    """The deployment's environment, with what its scripts' imports imply and it does not name itself.

    One that is borrowed is used as it is.
    """
    asked = spec.environment
    if asked.borrowed_from is not None:
        return asked
    names = _names(asked)
    implied = sorted({package for package in _implied(blobs, spec) if _name(package) not in names})
    return asked.model_copy(update={"pip_packages": (*asked.pip_packages, *implied)}) if implied else asked


def imported(source: bytes) -> set[str]:
    """Dotted names that a script imports, at any depth: modules, and what is taken from them."""
    tree = parse(source)
    return set() if tree is None else {name for node in ast.walk(tree) for name in _imports(node)}


def _implied(blobs: Blobs, spec: DeploymentSpec) -> Iterator[str]:
    for file in spec.code.tree.files:
        if file.path.endswith(".py"):
            with blobs.open(file.sha256) as stream:
                names = imported(stream.read())
            yield from (
                package
                for module, package in _TAKES.items()
                if any(f"{name}.".startswith(f"{module}.") for name in names)
            )


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _names(asked: EnvironmentSpecification) -> set[str]:
    conda = {canonicalize_name(parse_notation(package).name) for package in asked.conda_packages}
    return conda | {_name(split_hashes(package)[0]) for package in asked.pip_packages}


def _name(requirement: str) -> str:
    """ "" for what has no name: a path, or an editable one."""
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return ""
