"""Reads an entry script without running it: whether it is Python, and what it defines."""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Iterator
from itertools import islice

from estiva.errors import WebserviceException
from estiva.records import DeploymentSpec
from estiva.registry.blobs import Blobs

_MOST_DEFINITIONS = 100


def check_syntax(blobs: Blobs, spec: DeploymentSpec) -> None:
    """Raises WebserviceException, code "SyntaxError", if the service's Python cannot read its entry script.

    Only the same Python knows: for any other version nothing is checked here, and its own start tells.
    """
    name = spec.code.entry_script
    digest = next((file.sha256 for file in spec.code.tree.files if file.path == name), None)
    if digest is None or not _same_python(spec):
        return
    with blobs.open(digest) as file:
        error = syntax_error(file.read(), name)
    if error is not None:
        place = f", line {error.lineno}, column {error.offset}" if error.lineno else ""
        raise WebserviceException(
            f"{name}{place}: {error.msg}", code="SyntaxError", detail=_marked(error)
        ) from error


def parse(source: bytes) -> ast.Module | None:
    """The script's tree; None if this Python cannot read it, which another might."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


def syntax_error(source: bytes, name: str) -> SyntaxError | None:
    """Why this Python cannot read the source; what it merely warns of is told when the script runs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source, filename=name)
    except SyntaxError as error:
        return error
    except ValueError as error:  # null bytes, in Pythons before 3.12
        return SyntaxError(str(error))
    return None


def definitions(source: bytes) -> tuple[str, ...]:
    """What a script defines at any depth, and where: "init: line 9, below an if". Bounded."""
    tree = parse(source)
    return tuple(islice(_definitions(tree, ""), _MOST_DEFINITIONS)) if tree else ()


def _definitions(parent: ast.AST, where: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{node.name}: line {node.lineno}{where}"
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield from _definitions(node, f", in the {kind} {node.name}")
        elif isinstance(node, ast.If):
            yield from _definitions(node, where or f", below the if of line {node.lineno}")
        elif isinstance(node, ast.stmt | ast.excepthandler):
            yield from _definitions(node, where)


def _same_python(spec: DeploymentSpec) -> bool:
    """Whether the service runs the version that this process runs, as far as is known before it is locked."""
    wanted = spec.environment.python_version
    if wanted is not None:
        return wanted.split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    interpreter = spec.environment.borrowed_from or spec.interpreter
    return os.path.realpath(interpreter) == os.path.realpath(sys.executable)


def _marked(error: SyntaxError) -> str:
    """The line, with a mark below the place."""
    if not error.text or not error.offset:
        return ""
    return f"{error.text.rstrip()}\n{' ' * (error.offset - 1)}^"
