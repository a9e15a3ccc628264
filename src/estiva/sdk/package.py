"""Packages: the image of models and a score script, to run anywhere, or the Dockerfile that makes it."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from estiva.errors import WebserviceException
from estiva.messages import ImagePull, PackageRequest, PackageResult, Progress
from estiva.sdk.building import Build
from estiva.sdk.connection import address, connect
from estiva.sdk.deploying import Deployable, request
from estiva.sdk.environment import ContainerRegistry
from estiva.sdk.inference import InferenceConfig
from estiva.sdk.workspace import Workspace


class ModelPackage:
    """A package under way, or made; the build goes on if this program ends."""

    def __init__(self, workspace: Workspace, wanted: PackageRequest) -> None:
        self.workspace = workspace
        self.generate_dockerfile = wanted.generate_dockerfile
        self.package_build_log_uri: str | None = None
        self._build = Build(self._path(), wanted.body())

    def _path(self, *more: str) -> str:
        return address("workspaces", self.workspace.name, "packages", *more)

    # --- how it stands -------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """ "Running", "Succeeded" or "Failed"."""
        return self._build.state

    @property
    def error(self) -> dict[str, str] | None:
        error = self._build.error
        return None if error is None else {"code": error.code, "message": error.message}

    @property
    def location(self) -> str | None:
        """The image for `docker run` and `docker tag`: its local name; with its digest once it is pushed."""
        return str(self._build.result["location"]) or None if self._build.result else None

    def wait_for_creation(self, show_output: bool = False) -> None:
        """Raises WebserviceException, with the reason, if the package cannot be made."""
        self._build.wait(show_output)
        if show_output:
            print(f"Package creation {self.state}")
        error = self._build.error
        if error is not None:
            raise WebserviceException(
                f"Package creation Failed. {error.message}", code=error.code, detail=error.detail
            ) from error

    def get_logs(self, decode: bool = True, offset: int = 0) -> Any:
        """What the build told so far, from the byte `offset` on: text, or bytes without `decode`."""
        content = self._build.log.encode()[offset:]
        return content.decode(errors="replace") if decode else content

    def update_creation_state(self) -> None:
        """Nothing to do: `state` is always how it stands."""

    def get_container_registry(self) -> ContainerRegistry:
        """Where the image was pushed; without an address it is in the local engine. Waits for it."""
        registry = ContainerRegistry()
        registry.address = self._made().registry or None
        return registry

    def serialize(self) -> dict[str, Any]:
        return {
            "location": self.location,
            "state": self.state,
            "error": self.error,
            "generateDockerfile": self.generate_dockerfile,
            "packageBuildLogUri": self.package_build_log_uri,
            "workspaceName": self.workspace.name,
        }

    # --- having it -----------------------------------------------------------------------------------

    def pull(self) -> None:
        """Pulls the image and prints what the engine tells; waits until it is made."""
        if self.generate_dockerfile:
            raise WebserviceException("This package is a Dockerfile: use save(folder).", code="PackageKind")
        result = self._made()
        if not result.registry:
            print(f"The image {result.location} is in the local engine already.")
            return
        wanted = ImagePull(location=result.location)

        def show(progress: Progress) -> None:
            print(progress.message)

        connect().progress(self._path("pull"), body=wanted.model_dump(), show=show)

    def save(self, output_directory: str) -> None:
        """Writes the Dockerfile and all that it copies; waits until it is made."""
        if not self.generate_dockerfile:
            raise WebserviceException("This package is an image: use pull().", code="PackageKind")
        folder = Path(output_directory)
        if folder.exists() and not folder.is_dir():
            raise WebserviceException(f"{folder} is a file: choose a folder.", code="FileExists")
        digest = self._made().digest
        with tempfile.TemporaryFile() as file:
            with connect().stream("GET", self._path(digest, "context")) as response:
                for chunk in response.iter_bytes(1 << 20):
                    file.write(chunk)
            file.seek(0)
            folder.mkdir(parents=True, exist_ok=True)
            with tarfile.open(fileobj=file) as archive:
                archive.extractall(folder, filter="data")

    @property
    def dockerfile(self) -> str:
        """The text of the Dockerfile; waits until it is made."""
        return self._made().dockerfile

    def _made(self) -> PackageResult:
        self.wait_for_creation()
        return PackageResult.model_validate(self._build.result)


def package(
    workspace: Workspace,
    models: Sequence[Deployable],
    inference_config: InferenceConfig | None,
    generate_dockerfile: bool,
    image_name: str | None,
    image_label: str | None,
) -> ModelPackage:
    wanted = request(models, inference_config, None)
    body = {
        **wanted.body(),
        "generate_dockerfile": generate_dockerfile,
        "image_name": image_name,
        "image_label": image_label,
    }
    return ModelPackage(workspace, PackageRequest.model_validate(body))
