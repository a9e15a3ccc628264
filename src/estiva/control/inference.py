"""The environment that a score script and its model seem to need: a proposal, for the user to read.

From the script's imports, what the model's files say, and the versions in the environment that the user runs.
The model is read, never loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name

from estiva.control import imports
from estiva.control.nocode_environments import SAID_IN, specification
from estiva.control.pickles import read_pickle
from estiva.control.stages import Stages
from estiva.environments import shipping
from estiva.errors import UserErrorException
from estiva.messages import EnvironmentInference, InferredEnvironment
from estiva.records import EnvironmentSpecification

_OF_THE_SERVER = frozenset(
    {"azureml", "azureml_inference_server_http", "estiva_server", "inference_schema", "ptvsd"}
)
_PICKLES = (".pkl", ".pickle", ".joblib", ".sav")


@dataclass
class _Proposal:
    packages: dict[str, str] = field(default_factory=dict)
    """Canonical name -> requirement."""
    notices: list[str] = field(default_factory=list)

    def add(self, requirement: str) -> None:
        self.packages[canonicalize_name(requirement.partition("==")[0])] = requirement


def infer(stages: Stages, wanted: EnvironmentInference) -> InferredEnvironment:
    """Raises UserErrorException for a script or a model that is not there."""
    script, model = Path(wanted.entry_script), Path(wanted.model) if wanted.model else None
    for path in (script, *([model] if model else [])):
        if not path.exists():
            raise UserErrorException(f"There is no {path}.", code="FileNotFound")
    modules = stages.environments.modules(wanted.interpreter)
    proposal = _Proposal()
    for module in sorted(_imported(script)):
        _take_module(proposal, module, modules)
    said = _said_by(model, proposal, modules) if model else None
    base = said or EnvironmentSpecification(
        name=wanted.name, python_version=shipping.series_of(None, wanted.interpreter)
    )
    named = {canonicalize_name(text.partition("==")[0]) for text in base.pip_packages}
    more = [text for name, text in sorted(proposal.packages.items()) if name not in named]
    found = base.model_copy(update={"name": wanted.name, "pip_packages": (*base.pip_packages, *more)})
    return InferredEnvironment(specification=found, notices=tuple(proposal.notices))


def _imported(script: Path) -> Iterator[str]:
    """Top-level modules that are neither Python's own, nor the user's, nor the server's."""
    names = {name.partition(".")[0] for name in imports.imported(script.read_bytes())}
    for name in names - _OF_THE_SERVER - set(sys.stdlib_module_names):
        if not (script.with_name(f"{name}.py").exists() or script.with_name(name).is_dir()):
            yield name


def _take_module(proposal: _Proposal, module: str, modules: Mapping[str, str]) -> None:
    if module in modules:
        proposal.add(modules[module])
    else:
        proposal.notices.append(
            f"The script imports {module}, which is not installed here: add the package that has it."
        )


def _said_by(model: Path, proposal: _Proposal, modules: Mapping[str, str]) -> EnvironmentSpecification | None:
    """The specification in the model's own folder; what its pickles say goes into the proposal."""
    files = [model] if model.is_file() else sorted(path for path in model.rglob("*") if path.is_file())
    texts = {path.name: path.read_text(encoding="utf-8") for path in files if path.name in SAID_IN}
    if texts and model.is_dir():
        return specification(texts, str(model))
    for path in files:
        if path.suffix in _PICKLES:
            _take_pickle(proposal, path, modules)
    return None


def _take_pickle(proposal: _Proposal, path: Path, modules: Mapping[str, str]) -> None:
    with path.open("rb") as file:
        pickled = read_pickle(file)
    if pickled.sklearn_version is None:
        return
    wrote, here = f"scikit-learn=={pickled.sklearn_version}", modules.get("sklearn")
    proposal.add(wrote)
    if here and here != wrote:
        proposal.notices.append(f"{path.name} was written by {wrote}, and {here} is installed here.")
    for module in ("joblib", *(["pandas"] if pickled.names_columns else [])):
        _take_module(proposal, module, modules)
