"""The sections of an environment. What a process on this machine has no use for is kept and does nothing."""

from __future__ import annotations

from enum import Enum
from typing import Any

from estiva.azureml import notices
from estiva.azureml.conda_dependencies import CondaDependencies
from estiva.errors import UserErrorException
from estiva.sdk import environment as sdk
from estiva.sdk.environment import DockerImagePlatform

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
        "build_context",
        "gpu_support",
        "shared_volumes",
    )

    def __init__(self, **kwargs: Any) -> None:  # noqa: ARG002
        super().__init__()
        self.gpu_support: bool | None = None
        self.shared_volumes: bool | None = None

    @property
    def build_context(self) -> None:
        """None: see the setter."""

    @build_context.setter
    def build_context(self, value: Any) -> None:
        if value is not None:
            raise UserErrorException(
                "An environment has no build context here: set docker.base_dockerfile or docker.base_image.",
                code="NotAvailable",
            )

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


class DockerBuildContext:
    class LocationType(Enum):
        Git = "git"
        StorageAccount = "storageAccount"

    def __init__(
        self,
        location_type: str | None = None,
        location: str | None = None,
        dockerfile_path: str = "Dockerfile",
    ) -> None:
        self.location_type = location_type
        self.location = location
        self.dockerfile_path = dockerfile_path

    @staticmethod
    def from_local_directory(
        workspace: Any,  # noqa: ARG004
        path: str,
        dockerfile_path: str = "Dockerfile",
    ) -> DockerBuildContext:
        return DockerBuildContext(None, path, dockerfile_path)


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


class DockerImageDetails(dict[str, Any]):
    """What is known of an environment's image."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    @property
    def image_exist(self) -> bool:
        return bool(self.get("imageExistsInRegistry"))

    @property
    def image(self) -> dict[str, Any]:
        return dict(self.get("dockerImage") or {})

    @property
    def repository(self) -> str | None:
        return self.image.get("name")

    @property
    def registry(self) -> dict[str, Any] | None:
        return self.image.get("registry")

    @property
    def interpreter_path(self) -> str | None:
        return self.get("pythonEnvironment")

    @property
    def environment_path(self) -> str | None:
        return self.get("condaEnvironment")

    @property
    def dockerfile(self) -> str | None:
        return self.get("dockerfile")
