"""The import hook: modules of azureml, made from the table in names.py when they are imported."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from estiva.azureml import notices
from estiva.azureml.names import MODULES
from estiva.errors import RunEnvironmentException

ROOT = "azureml"


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers for every module in the table; others come from an installed package, or are refused."""

    def __init__(self, installed: Sequence[str]) -> None:
        """`installed`: the folders of an installed azureml package; empty if there is none."""
        self._installed = installed

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != ROOT:
            return None
        if fullname in MODULES:
            spec = ModuleSpec(fullname, self, is_package=True)
            spec.submodule_search_locations = list(self._installed) if fullname == ROOT else []
            return spec
        if self._installed:
            return None
        raise ModuleNotFoundError(
            f"No module named {fullname!r}: Estiva stands in for what azureml.core has for deployments. "
            "Training, pipelines and data preparation are not among it: run them elsewhere, and register "
            "here the model that comes out.",
            name=fullname,
        )

    def create_module(self, _spec: ModuleSpec) -> None:
        """As Python makes modules."""

    def exec_module(self, module: ModuleType) -> None:
        homes = {name: home for home, names in MODULES[module.__name__].items() for name in names}

        def find(name: str) -> object:
            found = _find(module.__name__, homes, name)
            setattr(module, name, found)
            return found

        module.__doc__ = f"Stands in for {module.__name__} of Azure ML SDK v1."
        module.__all__ = list(homes)  # type: ignore[attr-defined]
        module.__getattr__ = find  # type: ignore[method-assign]


def _find(module: str, homes: dict[str, str], name: str) -> object:
    if name in homes:
        return getattr(importlib.import_module(homes[name], "estiva.azureml"), name)
    if f"{module}.{name}" in MODULES:
        return importlib.import_module(f"{module}.{name}")
    raise AttributeError(
        f"module {module!r} has no attribute {name!r} in Estiva; docs/migration.md lists all"
    )


def install() -> None:
    """Puts the finder before all others. Idempotent."""
    if any(isinstance(finder, StandIns) for finder in sys.meta_path):
        return
    imported = sys.modules.get("azureml.core")
    if imported is not None:
        raise RunEnvironmentException(
            f"azureml.core was imported already, from {imported.__file__}, and stays that in this program. "
            "Call estiva.azureml.install() before anything imports azureml, or run the script with "
            "`python -m estiva.azureml`."
        )
    found = PathFinder.find_spec(ROOT)
    installed = list(found.submodule_search_locations or ()) if found else []
    if installed:
        notices.tell(
            f"Azure ML's own packages are installed as well ({installed[0]}). In this program azureml.core "
            "is Estiva's, because Estiva was asked for; without that, theirs is imported."
        )
        _forget()
    sys.meta_path.insert(0, StandIns(installed))


def _forget() -> None:
    """A namespace package that was merely looked into holds nothing yet, and would hide ours."""
    sys.modules.pop(ROOT, None)
