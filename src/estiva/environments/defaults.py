"""What a specification asks for -> what is asked of PyPI: the substitutions, with a notice for each. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from estiva.environments.explanations import not_on_pypi
from estiva.records import EnvironmentSpecification
from estiva.specification import CondaRequirement, check_requirement, parse_notation, split_hashes

EXPECTED = "azureml-defaults"
SERVED = frozenset({EXPECTED, "azureml-core", "azureml-inference-server-http"})
"""What the scoring server stands in for, whatever extras and pins."""

REPLACED = {"ptvsd": "debugpy"}

# Names of conda packages that are no Python packages. They are refused without asking PyPI: what has the name
# there would be something else.
# fmt: off
_NOT_PYTHON = frozenset({
    "binutils", "blas", "bzip2", "c-compiler", "ca-certificates", "compilers", "cuda", "cuda-toolkit",
    "cudatoolkit", "cudnn", "cxx-compiler", "ffmpeg", "gcc", "gcc-linux-64", "git", "glib", "gxx",
    "gxx-linux-64", "hdf5", "icu", "krb5", "ld-impl-linux-64", "libblas", "libcblas", "libedit", "libffi",
    "libgcc", "libgcc-ng", "libgfortran", "libgfortran-ng", "libgfortran5", "libgomp", "liblapack",
    "libopenblas", "libpng", "libprotobuf", "libsqlite", "libstdcxx", "libstdcxx-ng", "libuuid", "libxml2",
    "libzlib", "lz4-c", "make", "nccl", "ncurses", "nodejs", "openblas", "openjdk", "openmpi", "openssl",
    "r-base", "readline", "sqlite", "tk", "xz", "zlib", "zstd",
})
# fmt: on

# Names that a Python package has in conda's channels, and its name on PyPI.
_ELSEWHERE = {
    "dask-core": "dask",
    "keras-gpu": "keras",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "py-xgboost": "xgboost",
    "pytables": "tables",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "tensorflow-base": "tensorflow",
    "tensorflow-gpu": "tensorflow",
    "tensorflow-mkl": "tensorflow",
}


@dataclass(frozen=True)
class Plan:
    """What is asked of the package index."""

    requirements: tuple[str, ...]
    """As in a requirements file, `--hash` options included."""
    notices: tuple[str, ...] = ()
    conda: dict[str, str] = field(default_factory=dict)
    """Canonical name -> how it was written, of the requirements that came from conda packages."""


def substitute(spec: EnvironmentSpecification) -> Plan:
    """The plan for a specification; EnvironmentException "CondaPackageNotOnPyPI" names what cannot be had."""
    asked = [*map(_from_pip, spec.pip_packages), *_from_conda(spec)]
    conda = {name: written for name, _, written in asked if written}
    kept = [(name, requirement) for name, requirement, _ in asked if name not in SERVED]
    served = [name for name, _, _ in asked if name in SERVED]
    replaced = [name for name, _ in kept if name in REPLACED]
    requirements = [REPLACED.get(name, requirement) for name, requirement in kept]
    from_conda = [requirement for name, requirement in kept if name in conda]
    return Plan(
        requirements=tuple(dict.fromkeys(requirements)),
        notices=(*_served_notice(served), *_replaced_notice(replaced), *_conda_notice(from_conda)),
        conda=conda,
    )


def _from_pip(text: str) -> tuple[str, str, str]:
    """(canonical name, requirement, "")"""
    requirement = check_requirement(text)
    return canonicalize_name(Requirement(split_hashes(requirement)[0]).name), requirement, ""


def _from_conda(spec: EnvironmentSpecification) -> list[tuple[str, str, str]]:
    """(canonical name, requirement, conda's notation)"""
    found: list[tuple[str, str, str]] = []
    refused: list[str] = []
    hints: dict[str, str] = {}
    for written in spec.conda_packages:
        package = parse_notation(written)
        name = canonicalize_name(package.name)
        if name in ("python", "pip"):
            continue
        if _on_pypi(package):
            found.append((name, f"{package.name}{package.specifier}", written))
        else:
            refused.append(written)
            hints |= {name: _ELSEWHERE[name]} if name in _ELSEWHERE else {}
    if refused:
        raise not_on_pypi(refused, hints=hints)
    return found


def _on_pypi(package: CondaRequirement) -> bool:
    """Whether PyPI's notation can say it at all, and its name is not known to mean something else."""
    name = canonicalize_name(package.name)
    if package.name.startswith(("_", "r-")) or name in _NOT_PYTHON or name in _ELSEWHERE:
        return False
    try:
        SpecifierSet(package.specifier)
    except InvalidSpecifier:  # openssl=1.1.1w, numpy<1.20|>1.22
        return False
    return True


def _served_notice(served: list[str]) -> list[str]:
    if set(served) <= {EXPECTED}:
        return []
    return [f"Provided by the scoring server instead of being installed: {', '.join(dict.fromkeys(served))}."]


def _replaced_notice(replaced: list[str]) -> list[str]:
    return [f"{name} is replaced by its successor {REPLACED[name]}." for name in dict.fromkeys(replaced)]


def _conda_notice(requirements: list[str]) -> list[str]:
    return [f"Conda packages are installed from PyPI: {', '.join(requirements)}."] if requirements else []
