"""The environment of a model that is served without a score script, when the user gave none.

In this order: what the model's own files say; the version of the framework that it is registered with, or
that wrote it; the packages that the user runs now; the newest release, where that reads older files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from estiva.control.pickles import Pickled, read_pickle
from estiva.control.stages import Stages
from estiva.errors import UserErrorException
from estiva.records import EnvironmentSpecification, File
from estiva.specification import parse_conda, parse_pip, split_hashes

NAME = "no-code"
ONNX_SUFFIXES = (".onnx", ".ort")

_PACKAGES = {
    "ScikitLearn": "scikit-learn",
    "Onnx": "onnxruntime",
    "XGBoost": "xgboost",
    "LightGBM": "lightgbm",
    "MLflow": "mlflow",
}
_INSTEAD = {"mlflow": ("mlflow", "mlflow-skinny")}
_PICKLES = (".pkl", ".pickle", ".joblib", ".sav")
_LASTING = {"Onnx": ONNX_SUFFIXES, "XGBoost": (".ubj", ".json"), "LightGBM": (".txt", ".lgb")}
"""Suffixes of the files that any newer release of the framework reads."""
SAID_IN = ("requirements.txt", "conda.yaml", "conda.yml", "python_env.yaml")
_TEXT_LIMIT = 1_000_000

Choice = tuple[EnvironmentSpecification, str]
"""The environment, and a clause that says which it is and why."""


@dataclass(frozen=True)
class Subject:
    """The model."""

    label: str
    framework: str
    framework_version: str | None
    files: tuple[File, ...]

    @property
    def package(self) -> str:
        return _PACKAGES[self.framework]


def choose(stages: Stages, subject: Subject, interpreter: str) -> Choice:
    """Raises UserErrorException when nothing says what the model needs."""
    found = (
        _from_files(stages, subject)
        or _from_version(stages, subject)
        or _from_installed(stages, subject, interpreter)
        or _newest(subject)
    )
    if found is None:
        raise UserErrorException(
            f"Nothing says which {subject.package} the model {subject.label} needs: it is registered "
            f"without a version, its files do not tell, and {interpreter} has no {subject.package}. "
            "Register it with model_framework_version=..., give an environment (on the command line, --env), "
            f"or install {subject.package} and deploy again.",
            code="NoCodeEnvironment",
        )
    return found


# --- what the model's folder says ------------------------------------------------------------------------


def _from_files(stages: Stages, subject: Subject) -> Choice | None:
    texts = _texts(stages, subject)
    found = specification(texts, subject.label)
    if found is None:
        return None
    added = _missing(subject.package, found)
    why = f"in the environment of its {' and '.join(texts)}"
    if added:
        why += f", with {', '.join(added)}"
    return found.model_copy(update={"pip_packages": (*found.pip_packages, *added)}), f"{why}."


def _texts(stages: Stages, subject: Subject) -> dict[str, str]:
    """The files of that name that lie beside MLmodel, or highest in the folder."""
    by_depth = sorted(subject.files, key=lambda file: file.path.count("/"), reverse=True)
    found = {PurePosixPath(file.path).name: file for file in by_depth}
    return {name: _text(stages, found[name]) for name in SAID_IN if name in found}


def _text(stages: Stages, file: File) -> str:
    with stages.blobs.open(file.sha256) as stored:
        return stored.read(_TEXT_LIMIT).decode(errors="replace")


def specification(texts: dict[str, str], label: str) -> EnvironmentSpecification | None:
    """What a model's files of packages say; `texts` are their contents by name.

    requirements.txt has the packages if it is there, else a conda file, else python_env.yaml; Python's
    version stands in one of the latter. Raises UserErrorException for what cannot be read.
    """
    conda_name = next((name for name in texts if name.startswith("conda.")), None)
    conda = parse_conda(texts[conda_name], name=NAME, source=_of(conda_name, label)) if conda_name else None
    python, listed = _python_env(texts.get("python_env.yaml", ""))
    if "requirements.txt" in texts:
        source = _of("requirements.txt", label)
        found = parse_pip(texts["requirements.txt"], name=NAME, source=source)
    elif conda is not None:
        found = conda
    elif listed:
        found = parse_pip("\n".join(listed), name=NAME, source=_of("python_env.yaml", label))
    else:
        return None
    version = python or (conda.python_version if conda else None)
    return found.model_copy(update={"python_version": version})


def _of(name: str, label: str) -> str:
    return f"{name} of the model {label}"


def _python_env(text: str) -> tuple[str | None, list[str]]:
    """Python's version and the packages, without the reference to requirements.txt."""
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return None, []
    if not isinstance(content, dict):
        return None, []
    version, listed = content.get("python"), content.get("dependencies") or []
    packages = [each for each in listed if isinstance(each, str) and not each.startswith("-r")]
    return (str(version) if version else None), packages


def _missing(package: str, spec: EnvironmentSpecification) -> tuple[str, ...]:
    asked = {_name(each) for each in spec.pip_packages}
    asked |= {each.partition("=")[0].strip() for each in spec.conda_packages}
    return () if asked & set(_INSTEAD.get(package, (package,))) else (package,)


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(split_hashes(requirement)[0]).name)


# --- what is known of its version ------------------------------------------------------------------------


def _from_version(stages: Stages, subject: Subject) -> Choice | None:
    pickled = _pickled(stages, subject)
    version, why = subject.framework_version, "the version that it is registered with"
    if subject.framework == "Onnx":
        version = None  # of ONNX, the format, of which ONNX Runtime reads all versions
    if version is None and subject.framework == "ScikitLearn":
        version, why = pickled.sklearn_version, "the version that wrote it"
    if version is None:
        return None
    packages = [f"{subject.package}=={version}", *_beside(subject, pickled)]
    return _of_packages(packages), f"with {', '.join(packages)}, {why}."


def _pickled(stages: Stages, subject: Subject) -> Pickled:
    pickles = [file for file in subject.files if file.path.endswith(_PICKLES)] or list(subject.files)
    if subject.framework != "ScikitLearn" or len(pickles) != 1:
        return Pickled()
    with stages.blobs.open(pickles[0].sha256) as file:
        return read_pickle(file)


def _beside(subject: Subject, pickled: Pickled) -> list[str]:
    """What the model needs beside its framework."""
    if subject.framework == "ScikitLearn":
        return ["pandas"] if pickled.names_columns else []
    # The classifiers and regressors that XGBoost and LightGBM pickle are made of scikit-learn's classes.
    return ["scikit-learn"] if any(file.path.endswith(_PICKLES) for file in subject.files) else []


def _of_packages(packages: Iterable[str]) -> EnvironmentSpecification:
    return EnvironmentSpecification(name=NAME, pip_packages=tuple(packages))


# --- what is there, or can be had ------------------------------------------------------------------------


def _from_installed(stages: Stages, subject: Subject, interpreter: str) -> Choice | None:
    borrowed = EnvironmentSpecification(name="current", borrowed_from=interpreter)
    lock = stages.environments.lock(borrowed, interpreter, lambda _: None, lambda: False)
    names = _INSTEAD.get(subject.package, (subject.package,))
    for package in stages.environments.packages(lock):
        if canonicalize_name(package.partition("==")[0]) in names:
            why = (
                f"with the packages that run now, which have {package}; the model does not say what wrote it."
            )
            return borrowed, why
    return None


def _newest(subject: Subject) -> Choice | None:
    suffixes = _LASTING.get(subject.framework, ())
    if not any(file.path.endswith(suffixes) for file in subject.files if suffixes):
        return None
    why = f"with the newest {subject.package}, which reads the files of all older releases."
    return _of_packages([subject.package]), why
