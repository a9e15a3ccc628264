"""azureml.core.image: the way to describe a score script before InferenceConfig; makes one."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from estiva.azureml.environment import Environment
from estiva.errors import WebserviceException
from estiva.sdk.inference import InferenceConfig

__all__ = ["ContainerImage", "ContainerImageConfig", "Image"]


class ContainerImageConfig:
    def __init__(
        self,
        execution_script: str,
        conda_file: str | None,
        dependencies: Sequence[str] | None,
        base_image: str | None,
        description: str | None,
    ) -> None:
        self.execution_script = execution_script
        self.conda_file = conda_file
        self.dependencies = dependencies
        self.base_image = base_image
        self.description = description

    def to_inference_config(self) -> InferenceConfig:
        """Dependencies are files beside the script, so with any the current folder is shipped whole."""
        environment = None
        if self.conda_file is not None:
            environment = Environment.from_conda_specification("image-env", self.conda_file)
            environment.docker.base_image = self.base_image
        return InferenceConfig(
            self.execution_script,
            source_directory="." if self.dependencies else None,
            description=self.description,
            environment=environment,
        )


class Image:
    """Images are made for the service or package that needs one; they are not registered by themselves."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise _refused()

    @staticmethod
    def image_configuration(*_: Any, **__: Any) -> ContainerImageConfig:
        raise _refused()

    @staticmethod
    def create(*_: Any, **__: Any) -> Image:
        raise _refused()

    @staticmethod
    def list(*_: Any, **__: Any) -> list[Image]:
        return []


class ContainerImage(Image):
    @staticmethod
    def image_configuration(
        execution_script: str,
        runtime: str,
        conda_file: str | None = None,
        docker_file: str | None = None,
        schema_file: str | None = None,  # noqa: ARG004  the script's own decorators describe it
        dependencies: Sequence[str] | None = None,
        enable_gpu: bool | None = None,  # noqa: ARG004
        tags: dict[str, str] | None = None,  # noqa: ARG004  of the image, which nobody sees
        properties: dict[str, str] | None = None,  # noqa: ARG004
        description: str | None = None,
        base_image: str | None = None,
        base_image_registry: Any = None,  # noqa: ARG004
        cuda_version: str | None = None,  # noqa: ARG004
    ) -> ContainerImageConfig:
        warnings.warn(
            "ContainerImage.image_configuration: deprecated, use InferenceConfig and Model.deploy.",
            DeprecationWarning,
            stacklevel=2,
        )
        if runtime not in ("python", "python-slim", "spark-py"):
            raise WebserviceException(f"runtime {runtime!r} is not one of python, python-slim, spark-py.")
        if docker_file is not None:
            raise WebserviceException(
                "docker_file is not available: use an Environment with docker.base_dockerfile.",
                code="NotAvailable",
            )
        if not Path(execution_script).is_file():
            raise WebserviceException(f"The execution script {execution_script!r} does not exist.")
        return ContainerImageConfig(execution_script, conda_file, dependencies, base_image, description)


def _refused() -> WebserviceException:
    return WebserviceException(
        "Images are not registered by themselves here: deploy models with Model.deploy(workspace, name, "
        "models, inference_config), or make an image to take elsewhere with Model.package.",
        code="NotAvailable",
    )
