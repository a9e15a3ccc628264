"""Every public name of the deployment part of SDK v1 is here, with its parameters, order and defaults."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from estiva.azureml.names import MODULES
from tests.azureml import surfaces
from tests.azureml.surfaces import Fate, Name

KNOWN = surfaces.fates()
NAMES = list(surfaces.names())


def resolve(module: str, name: str) -> Any:
    homes = {found: home for home, names in MODULES[module].items() for found in names}
    return getattr(importlib.import_module(homes[name], "estiva.azureml"), name)


def owner(name: Name) -> Any:
    found, *inside = name.owner.split(".")
    thing = resolve(name.module, found)
    for part in inside:
        thing = getattr(thing, part)
    return thing


def fate(name: Name) -> Fate:
    return surfaces.fate(name, KNOWN)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"{name.module}:{name.path}")
def test_name(name: Name) -> None:
    if fate(name).kind == "refused":
        return
    if not name.owner:
        assert callable(resolve(name.module, name.name))
        return
    thing = owner(name)
    if not name.name:
        assert inspect.isclass(thing) or callable(thing)
    elif name.constant is not None:
        assert_constant(name, getattr(thing, name.name))
    elif name.parameters is None:
        assert name.name in attributes(thing)
    else:
        assert_parameters(name, getattr(thing, name.name))


def assert_constant(name: Name, value: Any) -> None:
    if fate(name).kind == "same":
        assert getattr(value, "value", value) == literal(name, str(name.constant))


def assert_parameters(name: Name, function: Callable[..., Any]) -> None:
    if fate(name).kind not in ("same", "ignored"):
        return
    if name.name == "__init__":
        function = owner(name)
    ours = [p for p in inspect.signature(function).parameters.values() if p.name not in ("self", "cls")]
    positional = [p for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    wanted = [(key, value) for key, value in name.parameters or () if not key.startswith("*")]
    assert [key for key, _ in wanted] == [p.name for p in positional[: len(wanted)]]
    for (key, default), parameter in zip(wanted, positional, strict=False):
        if default:
            assert parameter.default == literal(name, default), key
    further = positional[len(wanted) :]
    assert [p.name for p in further if p.default is p.empty] == [], "every call of SDK v1 is taken"
    if any(key.startswith("**") for key, _ in name.parameters or ()):
        assert any(p.kind is p.VAR_KEYWORD for p in ours)


def literal(name: Name, source: str) -> Any:
    """A value, or what it is called in its module: CPU, Audience.ARM."""
    try:
        return ast.literal_eval(source)
    except ValueError:
        first, *inside = source.split(".")
        value = resolve(name.module, first)
        return getattr(value, inside[0]) if inside else value


def attributes(thing: type) -> set[str]:
    """Those of the class, and those that the methods of it and its bases set."""
    found = set(dir(thing))
    for base in thing.__mro__[:-1]:
        found.update(getattr(base, "__annotations__", {}))
        if base.__module__.startswith("estiva"):
            found.update(_assigned(base))
    return found


def _assigned(base: type) -> set[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
    targets = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {
        node.attr
        for node in targets
        if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }


def test_fates_are_of_names_that_there_are() -> None:
    there = {(name.module, name.path) for name in NAMES}
    assert [key for key in KNOWN if key not in there] == []
    assert [key for key, found in KNOWN.items() if not found.text] == [], "each says why, or what instead"


def test_the_page_is_what_the_data_say() -> None:
    assert surfaces.PAGE.read_text() == surfaces.page(), "run: python -m tests.azureml.surfaces"
