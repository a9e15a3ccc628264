"""The deployment part of SDK v1 as data: its names (surface/), and what became of each (fates.yml).

`python -m tests.azureml.surfaces` writes docs/azureml-names.md from it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ruamel.yaml import YAML

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent.parent / "docs" / "azureml-names.md"

Kind = Literal["same", "differs", "ignored", "refused"]
_WORDS: dict[Kind, str] = {
    "same": "same",
    "differs": "same, with a difference",
    "ignored": "accepted and kept, without effect",
    "refused": "refused",
}


@dataclass(frozen=True)
class Fate:
    kind: Kind
    text: str = ""


@dataclass(frozen=True)
class Name:
    """A public name: a class, or what a class has."""

    module: str
    owner: str
    """The class; "" for a function of the module."""
    name: str
    """"" for the class itself."""
    parameters: tuple[tuple[str, str], ...] | None
    """With their defaults as source, "" for none, without self and cls; None for an attribute."""
    constant: str | None = None
    """As source."""

    @property
    def path(self) -> str:
        return ".".join(part for part in (self.owner, self.name) if part)


def names() -> Iterator[Name]:
    """Everything that surface/ lists, in its order."""
    for file in sorted((FOLDER / "surface").glob("*.api")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef):
                yield from _members(file.stem, node)
            elif isinstance(node, ast.FunctionDef):
                yield Name(file.stem, "", node.name, _parameters(node, 0))


def _members(module: str, found: ast.ClassDef) -> Iterator[Name]:
    owner = found.name.replace("__", ".")
    yield Name(module, owner, "", None)
    for node in found.body:
        if isinstance(node, ast.FunctionDef):
            static = any(ast.unparse(item) == "staticmethod" for item in node.decorator_list)
            yield Name(module, owner, node.name, _parameters(node, 0 if static else 1))
        elif isinstance(node, ast.AnnAssign):
            yield Name(module, owner, ast.unparse(node.target), None)
        elif isinstance(node, ast.Assign):
            yield Name(module, owner, ast.unparse(node.targets[0]), None, ast.unparse(node.value))


def _parameters(node: ast.FunctionDef, skipped: int) -> tuple[tuple[str, str], ...]:
    given = node.args
    defaults = [ast.unparse(value) for value in given.defaults]
    padded = [""] * (len(given.args) - len(defaults)) + defaults
    found = [(argument.arg, value) for argument, value in zip(given.args, padded, strict=True)][skipped:]
    if given.vararg is not None:
        found.append((f"*{given.vararg.arg}", ""))
    if given.kwarg is not None:
        found.append((f"**{given.kwarg.arg}", ""))
    return tuple(found)


def fates() -> dict[tuple[str, str], Fate]:
    """By module and path; what is not among them is the same."""
    content = YAML(typ="safe").load((FOLDER / "fates.yml").read_text())
    return {
        (module, path): Fate(kind, text)
        for module, kinds in content.items()
        for kind, texts in kinds.items()
        for path, text in texts.items()
    }


def fate(name: Name, known: dict[tuple[str, str], Fate]) -> Fate:
    """Its own, else its class's if that is refused or without effect as a whole."""
    own = known.get((name.module, name.path))
    if own is not None:
        return own
    of_class = known.get((name.module, name.owner))
    return of_class if of_class is not None and of_class.kind in ("refused", "ignored") else Fate("same")


def page() -> str:
    known = fates()
    lines = [_INTRODUCTION]
    for module in dict.fromkeys(name.module for name in names()):
        lines.append(f"\n## {module}\n\n| name | in Estiva | |\n| --- | --- | --- |")
        for name in names():
            if name.module == module:
                found = fate(name, known)
                shown = name.path if name.parameters is None else f"{name.path}()"
                lines.append(f"| `{shown}` | {_WORDS[found.kind]} | {found.text} |")
    return "\n".join(lines) + "\n"


_INTRODUCTION = """\
# The names of azureml.core, one by one

What becomes of each public name of the deployment part of Azure ML SDK v1 in a script that Estiva runs
([how](migration.md)). A test compares this table, and the parameters of every name with their order and
defaults, with the code. "Same" means that every call that SDK v1 takes means the same here; Estiva may
take more."""


if __name__ == "__main__":
    PAGE.write_text(page())
