"""azureml.core.environment: the SDK's environment, and what SDK v1 keeps in one beyond a service's needs."""

from __future__ import annotations

import builtins
import os
from typing import TYPE_CHECKING, Any

from estiva import records
from estiva.azureml import curated, notices
from estiva.azureml.conda_dependencies import CondaDependencies
from estiva.azureml.sections import (
    DockerBuildContext,
    DockerEnvironment,
    DockerImageDetails,
    DockerImagePlatform,
    DockerSection,
    PythonEnvironment,
    PythonSection,
    RCranPackage,
    RGitHubPackage,
    RSection,
    SparkEnvironment,
    SparkPackage,
    SparkSection,
    is_of_azure,
)
from estiva.errors import EnvironmentException, UserErrorException
from estiva.sdk import environment as sdk
from estiva.sdk.environment import ContainerRegistry
from estiva.sdk.images import ImageBuildDetails

if TYPE_CHECKING:
    from typing_extensions import Self

    from estiva.azureml.workspace import Workspace

__all__ = [
    "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE",
    "CondaDependencies",
    "ContainerRegistry",
    "DockerBuildContext",
    "DockerEnvironment",
    "DockerImageDetails",
    "DockerImagePlatform",
    "DockerSection",
    "Environment",
    "EnvironmentReference",
    "ImageBuildDetails",
    "PythonEnvironment",
    "PythonSection",
    "RCranPackage",
    "RGitHubPackage",
    "RSection",
    "SparkEnvironment",
    "SparkPackage",
    "SparkSection",
]

DEFAULT_CPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
DEFAULT_GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04"


class Environment(sdk.Environment):
    """An environment; what is made for Spark, Databricks or R is kept and does nothing."""

    _names = (*sdk.Environment._names, "asset_id", "databricks", "r", "spark")  # noqa: SLF001

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.python = PythonSection()
        self.docker = DockerSection()
        self.spark = SparkSection()
        self.r: RSection | None = None
        self.databricks: Any = None
        self.asset_id: str | None = None

    def to_specification(self) -> records.EnvironmentSpecification:
        """Without a base image of Azure's: that holds what Estiva brings by itself."""
        found = super().to_specification()
        if not is_of_azure(found.base_image):
            return found
        notices.tell(
            f"The environment {self.name!r} names Azure's base image {found.base_image}, which is not needed "
            "here: its packages are installed without it. For a container of your own, set another image."
        )
        return found.model_copy(update={"base_image": None})

    @classmethod
    def get(  # type: ignore[override]
        cls, workspace: Workspace, name: str, version: str | None = None, label: str | None = None
    ) -> Self:
        """A registered environment, else one of the curated ones."""
        try:
            return super().get(workspace, name, version, label)
        except EnvironmentException:
            found = curated.nearest(name)
            if found is None:
                raise
            return cls._curated(found)

    @classmethod
    def list(cls, workspace: Workspace) -> dict[str, Self]:  # type: ignore[override]
        """Name -> its newest version; the curated ones among them."""
        ready = {name: cls._curated(name) for name in curated.PACKAGES}
        return {**ready, **super().list(workspace)}

    @classmethod
    def _curated(cls, name: str) -> Self:
        environment = cls(name)
        environment.version = "1"
        environment.python.conda_dependencies = CondaDependencies.create(pip_packages=curated.packages(name))
        return environment

    @staticmethod
    def label(workspace: Workspace, name: str, version: str, labels: builtins.list[str]) -> None:  # noqa: ARG004
        raise UserErrorException(
            "Versions of an environment have no labels here: ask for the version itself.", code="NotAvailable"
        )

    @classmethod
    def from_existing_conda_environment(cls, name: str, conda_environment_name: str) -> Self:
        """The packages of a conda environment on this machine, used as they are installed there."""
        environment = cls(name)
        environment.python.user_managed_dependencies = True
        environment.python.interpreter_path = curated.conda_interpreter(conda_environment_name)
        return environment

    @staticmethod
    def add_private_pip_wheel(
        workspace: Workspace, file_path: str | os.PathLike[str], exist_ok: bool = False
    ) -> str:
        """Copies the wheel into the workspace's storage; the answer is what a pip package list takes."""
        from estiva.azureml.dataset import keep_wheel

        return keep_wheel(workspace, file_path, exist_ok)


class EnvironmentReference:
    def __init__(self, name: str, version: str | None = None) -> None:
        self.name = name
        self.version = version

    def get_environment(self, workspace: Workspace) -> Environment:
        return Environment.get(workspace, self.name, self.version)
