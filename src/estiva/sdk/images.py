"""Images of environments: one that is being built, and what is known of it."""

from __future__ import annotations

from typing import Any

from estiva.messages import EnvironmentImage
from estiva.sdk.building import Build


class ImageBuildDetails:
    """What `Environment.build` has begun."""

    log_url = None
    """There is no page of it: see get_log()."""

    def __init__(self, path: str, body: dict[str, Any]) -> None:
        self._build = Build(path, body)

    @property
    def status(self) -> str:
        """ "Running", "Succeeded" or "Failed"."""
        return self._build.state

    def get_log(self) -> str:
        """What it told so far."""
        return self._build.log

    def wait_for_completion(self, show_output: bool = True) -> None:
        """Raises the reason, an EnvironmentException or ImageException, if it cannot be built."""
        self._build.wait(show_output)
        if show_output:
            print(f"Image build {self.status}")
        if self._build.error is not None:
            raise self._build.error


class DockerImageDetails(dict[str, Any]):
    """What is known of an environment's image, as SDK v1 tells it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    @classmethod
    def of(cls, found: EnvironmentImage) -> DockerImageDetails:
        return cls(
            imageExistsInRegistry=found.exists,
            dockerImage={"name": found.image, "registry": None},
            pythonEnvironment={"interpreterPath": found.python},
            dockerfile=found.dockerfile,
        )

    @property
    def image_exist(self) -> bool:
        """Whether it is built."""
        return bool(self["imageExistsInRegistry"])

    @property
    def image(self) -> dict[str, Any]:
        return dict(self["dockerImage"])

    @property
    def repository(self) -> str:
        """The image's name in the local engine."""
        return str(self.image["name"])

    @property
    def registry(self) -> dict[str, Any] | None:
        """None: the image is in the local engine."""
        found: dict[str, Any] | None = self.image["registry"]
        return found

    @property
    def interpreter_path(self) -> str:
        """In the image."""
        return str(self["pythonEnvironment"]["interpreterPath"])

    @property
    def environment_path(self) -> str:
        """The folder of the interpreter's environment in the image."""
        return self.interpreter_path.removesuffix("/bin/python")

    @property
    def dockerfile(self) -> str:
        """The one that makes the whole image."""
        return str(self["dockerfile"])
