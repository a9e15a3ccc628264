"""azureml.core.conda_dependencies: the SDK's, and shortcuts for packages of long ago."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from estiva.errors import UserErrorException
from estiva.sdk import conda_dependencies as sdk

__all__ = ["CPU", "DEFAULT_SDK_ORIGIN", "GPU", "PYTHON_DEFAULT_VERSION", "CondaDependencies"]

CPU = "cpu"
GPU = "gpu"
DEFAULT_SDK_ORIGIN = ""
"""Packages of the SDK come from where all others come from."""
PYTHON_DEFAULT_VERSION = None
"""An unspecified version means the running interpreter's."""


class CondaDependencies(sdk.CondaDependencies):
    @staticmethod
    def merge_requirements(requirements: Sequence[str]) -> list[str]:
        """One requirement for each project, with the specifiers of all."""
        merged: dict[str, Requirement] = {}
        for text in requirements:
            found = Requirement(text)
            known = merged.setdefault(canonicalize_name(found.name), found)
            known.specifier &= found.specifier
            known.extras |= found.extras
        return [str(requirement) for requirement in merged.values()]

    @staticmethod
    def sdk_origin_url() -> str:
        return DEFAULT_SDK_ORIGIN

    def get_default_number_of_packages(self) -> int:
        return self.DEFAULT_NUMBER_OF_CONDA_PACKAGES + self.DEFAULT_NUMBER_OF_PIP_PACKAGES

    def add_cntk_package(self, core_type: str = CPU) -> None:  # noqa: ARG002
        raise UserErrorException(
            "CNTK is not made any more, and there is no package of it for a Python of today.",
            code="NotAvailable",
        )

    def add_tensorflow_pip_package(self, core_type: str = CPU, version: str | None = None) -> None:
        self.add_pip_package(_pinned(_tensorflow(core_type), version, "=="))

    def add_tensorflow_conda_package(self, core_type: str = CPU, version: str | None = None) -> None:
        self.add_conda_package(_pinned(_tensorflow(core_type), version, "="))


def _tensorflow(core_type: str) -> str:
    return "tensorflow-gpu" if core_type == GPU else "tensorflow"


def _pinned(package: str, version: str | None, sign: str) -> str:
    return f"{package}{sign}{version}" if version else package
