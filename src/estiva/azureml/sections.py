"""The sections of an environment. What a process on this machine has no use for is kept and does nothing."""

from __future__ import annotations

from typing import Any

from estiva.azureml import notices
from estiva.azureml.conda_dependencies import CondaDependencies
from estiva.sdk import environment as sdk
from estiva.sdk.environment import DockerBuildContext, DockerImagePlatform
from estiva.sdk.images import DockerImageDetails

__all__ = [
    "DockerBuildContext",
    "DockerEnvironment",
    "DockerImageDetails",
    "DockerImagePlatform",
    "DockerSection",
    "PythonEnvironment",
    "PythonSection",
    "RCranPackage",
    "RGitHubPackage",
    "RSection",
    "RegistryIdentity",
    "SparkEnvironment",
    "SparkPackage",
    "SparkSection",
    "is_of_azure",
]

_AZURE_IMAGES = "mcr.microsoft.com/azureml/"


def is_of_azure(image: str | None) -> bool:
    """Whether it is one of the images that Azure ML gives, which hold its own server and Python."""
    return image is not None and image.startswith(_AZURE_IMAGES)


class DockerSection(sdk.DockerSection):
    _names = (
        *sdk.DockerSection._names,  # noqa: SLF001
        "gpu_support",
        "shared_volumes",
    )

    def __init__(self, **kwargs: Any) -> None:  # noqa: ARG002
        super().__init__()
        self.gpu_support: bool | None = None
        self.shared_volumes: bool | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("enabled", "shm_size", "arguments", "gpu_support", "shared_volumes") and value:
            notices.tell(f"environment.docker.{name}: kept, without effect on this machine.")
        super().__setattr__(name, value)


class DockerEnvironment(DockerSection):
    """The older name."""


class PythonSection(sdk.PythonSection):
    _names = (*sdk.PythonSection._names, "conda_dependencies_file")  # noqa: SLF001

    def __init__(self, **kwargs: Any) -> None:  # noqa: ARG002
        super().__init__()

    @property
    def conda_dependencies_file(self) -> None:
        """None: its content is in `conda_dependencies`."""

    @conda_dependencies_file.setter
    def conda_dependencies_file(self, path: str | None) -> None:
        if path is not None:
            self.conda_dependencies = CondaDependencies(path)


class RegistryIdentity:
    """Kept, without effect: registries take a user name and a password."""

    def __init__(self) -> None:
        self.resource_id: str | None = None
        self.client_id: str | None = None


class PythonEnvironment(PythonSection):
    """The older name."""


class SparkPackage:
    def __init__(
        self, group: str | None = None, artifact: str | None = None, version: str | None = None
    ) -> None:
        self.group = group
        self.artifact = artifact
        self.version = version


class SparkSection:
    def __init__(self, **kwargs: Any) -> None:  # noqa: ARG002
        self.repositories: list[str] = []
        self.packages: list[SparkPackage] = []
        self.precache_packages = True


class SparkEnvironment(SparkSection):
    """The older name."""


class RCranPackage:
    def __init__(self) -> None:
        self.name: str | None = None
        self.version: str | None = None
        self.repository: str | None = None


class RGitHubPackage:
    def __init__(self) -> None:
        self.repository: str | None = None
        self.auth_token: str | None = None


class RSection:
    def __init__(self) -> None:
        self.r_version: str | None = None
        self.user_managed = False
        self.rscript_path: str | None = None
        self.snapshot_date: str | None = None
        self.cran_packages: list[RCranPackage] = []
        self.github_packages: list[RGitHubPackage] = []
        self.custom_url_packages: list[str] = []
        self.bioconductor_packages: list[str] = []
