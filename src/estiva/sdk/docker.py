"""What an environment says of its image: what that is built upon, and for which machine."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from estiva import records
from estiva.errors import UserErrorException
from estiva.messages import BuildContextRequest
from estiva.sdk.connection import address, connect
from estiva.sdk.sections import Section
from estiva.sdk.workspace import Workspace


class ContainerRegistry(Section):
    """Where the base image comes from. The password goes with a deployment or package and is never kept."""

    _names = ("address", "password", "registry_identity", "username")

    def __init__(self) -> None:
        self.address: str | None = None
        self.username: str | None = None
        self.password: str | None = None
        self.registry_identity: Any = None

    def to_record(self) -> records.ContainerRegistry | None:
        if self.address is None and self.username is None:
            return None
        password = None if self.password is None else SecretStr(self.password)
        return records.ContainerRegistry(address=self.address, username=self.username, password=password)


class DockerImagePlatform(Section):
    """What an image is made for; without an architecture, what the engine runs on."""

    _names = ("architecture", "os")

    def __init__(self, os: str = "Linux", architecture: str | None = None) -> None:
        self.os = os
        self.architecture = architecture

    def to_text(self) -> str | None:
        return f"{self.os.lower()}/{self.architecture}" if self.architecture else None


class DockerBuildContext:
    """A folder with a Dockerfile and all that it copies, as it was when this was made."""

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
        self._record: records.BuildContext | None = None

    @classmethod
    def from_local_directory(
        cls, workspace: Workspace, path: str | os.PathLike[str], dockerfile_path: str = "Dockerfile"
    ) -> DockerBuildContext:
        """Takes the folder into the workspace, less what its .dockerignore names."""
        wanted = BuildContextRequest(path=str(Path(path).absolute()), dockerfile=dockerfile_path)
        found = connect().request(
            "POST", address("workspaces", workspace.name, "contexts"), body=wanted.model_dump()
        )
        context = cls.from_record(records.BuildContext.model_validate(found))
        context.location = str(path)
        return context

    @classmethod
    def from_record(cls, record: records.BuildContext) -> DockerBuildContext:
        context = cls(cls.LocationType.StorageAccount.value, None, record.dockerfile)
        context._record = record
        return context

    @classmethod
    def from_definition(cls, definition: dict[str, Any]) -> DockerBuildContext:
        """The other way round."""
        context = cls(
            definition.get("locationType"),
            definition.get("location"),
            definition.get("dockerfilePath") or "Dockerfile",
        )
        if definition.get("tree"):
            tree = records.Tree.model_validate(definition["tree"])
            context._record = records.BuildContext(tree=tree, dockerfile=context.dockerfile_path)
        return context

    def to_definition(self) -> dict[str, Any]:
        """As the file of an environment has it: with what was taken, which is in the workspace."""
        return {
            "locationType": self.location_type,
            "location": self.location,
            "dockerfilePath": self.dockerfile_path,
            "tree": self._record.tree.model_dump(mode="json") if self._record else None,
        }

    def to_record(self) -> records.BuildContext:
        """Raises UserErrorException for one that is somewhere else."""
        if self._record is None:
            raise UserErrorException(
                f"The build context {self.location} is no folder that was taken into the workspace. Get it "
                "onto this machine, then DockerBuildContext.from_local_directory(workspace, path).",
                code="BuildContextElsewhere",
            )
        return self._record


class DockerSection(Section):
    """A base image, or what makes one: a Dockerfile (its text, or the path of a file), or a folder with one.

    The last one set wins.
    """

    _names: tuple[str, ...] = (
        *("arguments", "base_dockerfile", "base_image", "base_image_registry", "build_context", "enabled"),
        *("platform", "shm_size"),
    )

    def __init__(self) -> None:
        self._image: str | None = None
        self._dockerfile: str | None = None
        self._context: DockerBuildContext | None = None
        self.base_image_registry = ContainerRegistry()
        self.platform = DockerImagePlatform()
        self.arguments: list[str] = []
        self.enabled: bool | None = None
        self.shm_size: str | None = None

    @property
    def base_image(self) -> str | None:
        return self._image

    @base_image.setter
    def base_image(self, value: str | None) -> None:
        self._image = value
        if value is not None:
            self._dockerfile = self._context = None

    @property
    def base_dockerfile(self) -> str | None:
        return self._dockerfile

    @base_dockerfile.setter
    def base_dockerfile(self, value: Any) -> None:
        self._dockerfile = _dockerfile_text(value)
        if value is not None:
            self._image = self._context = None

    @property
    def build_context(self) -> DockerBuildContext | None:
        return self._context

    @build_context.setter
    def build_context(self, value: DockerBuildContext | None) -> None:
        self._context = value
        if value is not None:
            self._image = self._dockerfile = None

    def to_fields(self) -> dict[str, Any]:
        """Those of an EnvironmentSpecification that are about images."""
        return {
            "base_image": self.base_image,
            "base_dockerfile": self.base_dockerfile,
            "base_image_registry": self.base_image_registry.to_record(),
            "build_context": self.build_context.to_record() if self.build_context else None,
            "platform": self.platform.to_text(),
        }

    def take(self, found: records.EnvironmentSpecification) -> None:
        """The other way round."""
        self.base_image = found.base_image
        if found.base_dockerfile is not None:
            self.base_dockerfile = found.base_dockerfile
        if found.build_context is not None:
            self.build_context = DockerBuildContext.from_record(found.build_context)
        if found.base_image_registry is not None:
            self.base_image_registry.address = found.base_image_registry.address
            self.base_image_registry.username = found.base_image_registry.username
        if found.platform is not None:
            self.platform.architecture = found.platform.partition("/")[2]


def _dockerfile_text(value: Any) -> str | None:
    if value is None:
        return None
    if hasattr(value, "read"):
        return str(value.read())
    text = str(os.fspath(value))
    return Path(text).read_text(encoding="utf-8") if _is_file(text) else text


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # too long for a path
        return False
