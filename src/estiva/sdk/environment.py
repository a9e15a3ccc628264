"""Environments: what a score script needs, and where versions of it are kept."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import SecretStr

from estiva import records, specification
from estiva.errors import UserErrorException
from estiva.messages import (
    BuiltEnvironment,
    EnvironmentBuild,
    LockedEnvironment,
    LockRequest,
    Progress,
    UpdateRequest,
)
from estiva.sdk.conda_dependencies import CondaDependencies, read_text, read_yaml
from estiva.sdk.connection import address, connect
from estiva.sdk.workspace import Workspace

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["CondaDependencies", "DockerSection", "Environment", "PythonSection"]

_DEFINITION_FILE = "azureml_environment.json"
_CONDA_FILE = "conda_dependencies.yml"
_DOCKERFILE = "BaseDockerfile"


class _Section:
    """Assigning to a name that does not exist is an error, or a misspelt setting would be lost silently."""

    _names: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self._names:
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}; it has {', '.join(self._names)}."
            )
        super().__setattr__(name, value)


class PythonSection(_Section):
    _names: tuple[str, ...] = (
        *("conda_dependencies", "interpreter_path", "resolver", "user_managed_dependencies"),
    )

    def __init__(self) -> None:
        self.conda_dependencies = CondaDependencies()
        self.interpreter_path = "python"
        self.resolver: records.Resolver = "auto"
        self.user_managed_dependencies = False


class ContainerRegistry(_Section):
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


class DockerImagePlatform(_Section):
    """What an image is made for; without an architecture, what the engine runs on."""

    _names = ("architecture", "os")

    def __init__(self, os: str = "Linux", architecture: str | None = None) -> None:
        self.os = os
        self.architecture = architecture

    def to_text(self) -> str | None:
        return f"{self.os.lower()}/{self.architecture}" if self.architecture else None


class DockerSection(_Section):
    """A base image, or a Dockerfile for one (its text, or the path of a file); the last one set wins."""

    _names: tuple[str, ...] = (
        *("arguments", "base_dockerfile", "base_image", "base_image_registry", "enabled"),
        *("platform", "shm_size"),
    )

    def __init__(self) -> None:
        self._image: str | None = None
        self._dockerfile: str | None = None
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
            self._dockerfile = None

    @property
    def base_dockerfile(self) -> str | None:
        return self._dockerfile

    @base_dockerfile.setter
    def base_dockerfile(self, value: Any) -> None:
        self._dockerfile = _dockerfile_text(value)
        if value is not None:
            self._image = None


def _take_registry(docker: DockerSection, found: records.EnvironmentSpecification) -> None:
    if found.base_image_registry is not None:
        docker.base_image_registry.address = found.base_image_registry.address
        docker.base_image_registry.username = found.base_image_registry.username
    if found.platform is not None:
        docker.platform.architecture = found.platform.partition("/")[2]


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


class Environment(_Section):
    """An environment. `version` is None until it comes from the registry; versions are strings."""

    _names: tuple[str, ...] = (
        "docker",
        "environment_variables",
        "inferencing_stack_version",
        "name",
        "python",
        "version",
    )

    def __init__(self, name: str, **_unused: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"The name of an environment is text, not {type(name).__name__}.")
        self.name = name
        self.version: str | None = None
        self.python = PythonSection()
        self.docker = DockerSection()
        self.environment_variables: dict[str, str] = {}
        self.inferencing_stack_version: str | None = None

    # --- from what the user has ----------------------------------------------------------------------

    @classmethod
    def from_conda_specification(cls, name: str, file_path: str | os.PathLike[str]) -> Self:
        """Raises UserErrorException, with line and column where it can, for what is no specification."""
        environment = cls(name)
        environment.python.conda_dependencies = CondaDependencies(file_path)
        # As they are written in the file: 1.10 stays 1.10.
        parsed = specification.parse_conda(read_text(file_path), name=name)
        environment.environment_variables = dict(parsed.variables)
        return environment

    @classmethod
    def from_pip_requirements(
        cls, name: str, file_path: str | os.PathLike[str], pip_version: str | None = None
    ) -> Self:
        """The requirements file taken as it is."""
        parsed = specification.parse_pip(read_text(file_path), name=name, source=str(file_path))
        environment = cls(name)
        dependencies = CondaDependencies()
        dependencies.set_pip_requirements([*parsed.pip_options, *parsed.pip_packages])
        dependencies.add_conda_package(f"pip={pip_version}" if pip_version else "pip")
        environment.python.conda_dependencies = dependencies
        return environment

    @classmethod
    def from_specification(cls, found: records.EnvironmentSpecification) -> Self:
        environment = cls(found.name)
        # The variables are those of the environment alone, so that taking one away takes it away.
        text = specification.dump_conda(found.model_copy(update={"variables": {}}))
        content = read_yaml(text, source=found.name)
        environment.python.conda_dependencies = CondaDependencies(_underlying_structure=content)
        environment.python.resolver = found.resolver
        if found.borrowed_from is not None:
            environment.python.user_managed_dependencies = True
            environment.python.interpreter_path = found.borrowed_from
        environment.environment_variables = dict(found.variables)
        environment.docker.base_dockerfile = found.base_dockerfile
        _take_registry(environment.docker, found)
        if found.base_image is not None:
            environment.docker.base_image = found.base_image
        environment.inferencing_stack_version = found.inferencing_stack_version
        return environment

    @classmethod
    def _from_record(cls, found: records.Environment) -> Self:
        environment = cls.from_specification(found.specification)
        environment.version = found.version
        return environment

    def to_specification(self) -> records.EnvironmentSpecification:
        """The record that the control server resolves. Raises UserErrorException if it is not sound."""
        text = self.python.conda_dependencies.serialize_to_string()
        parsed = specification.parse_conda(text, name=self.name)
        return parsed.model_copy(
            update={
                "variables": {
                    **parsed.variables,
                    **{name: str(value) for name, value in self.environment_variables.items()},
                },
                "resolver": self._resolver(),
                "borrowed_from": self._borrowed_from(),
                "base_image": self.docker.base_image,
                "base_dockerfile": self.docker.base_dockerfile,
                "base_image_registry": self.docker.base_image_registry.to_record(),
                "platform": self.docker.platform.to_text(),
                "inferencing_stack_version": self.inferencing_stack_version,
            }
        )

    def _resolver(self) -> records.Resolver:
        known = get_args(records.Resolver)
        if self.python.resolver not in known:
            raise UserErrorException(
                f"There is no resolver {self.python.resolver!r}; choose one of {', '.join(known)}.",
                code="ResolverUnknown",
            )
        return self.python.resolver

    def _borrowed_from(self) -> str | None:
        """Dependencies that the user manages are those of an interpreter, by default the running one."""
        if not self.python.user_managed_dependencies:
            return None
        path = self.python.interpreter_path
        return sys.executable if path == "python" else path

    # --- the registry --------------------------------------------------------------------------------

    def register(self, workspace: Workspace) -> Self:
        """A new object with a version; this one keeps none. The same content again keeps its version."""
        body = self.to_specification().model_dump(mode="json")
        found = connect().request("POST", address("workspaces", workspace.name, "environments"), body=body)
        return self._from_record(records.Environment.model_validate(found))

    @classmethod
    def get(
        cls, workspace: Workspace, name: str, version: str | None = None, label: str | None = None
    ) -> Self:
        """The version named, else the newest. Raises EnvironmentException if there is none."""
        if version is not None and label is not None:
            raise UserErrorException("Give a version or a label, not both.", code="VersionAndLabel")
        if label not in (None, "latest"):
            raise UserErrorException(f"There is no label {label!r}: use a version.", code="LabelUnknown")
        params = {} if version is None else {"version": str(version)}
        place = address("workspaces", workspace.name, "environments", name)
        found = connect().request("GET", place, params=params)
        return cls._from_record(records.Environment.model_validate(found))

    @classmethod
    def list(cls, workspace: Workspace) -> dict[str, Self]:
        """Name -> its newest version."""
        found = connect().request("GET", address("workspaces", workspace.name, "environments"))
        listed = (cls._from_record(records.Environment.model_validate(item)) for item in found)
        return {environment.name: environment for environment in listed}

    def build(
        self,
        workspace: Workspace,
        image_build_compute: Any = None,  # noqa: ARG002
        show: Callable[[str], None] = print,
    ) -> BuiltEnvironment:
        """Resolves and builds it now, so that a deployment finds it ready.

        Raises EnvironmentException that names the package at fault.
        """
        body = EnvironmentBuild(
            specification=self.to_specification(), version=self.version, interpreter=sys.executable
        )
        return BuiltEnvironment.model_validate(_ask(workspace, ("build",), body, show))

    def lock(
        self,
        workspace: Workspace,
        platform: str | None = None,
        pylock: bool = False,
        show: Callable[[str], None] = print,
    ) -> LockedEnvironment:
        """The exact, hashed packages of this registered version on a platform ("linux-64", "osx-arm64").

        None means this machine's. The first call makes the lock; it is kept with the version, and used by
        every deployment of it. `pylock`: the answer has it as a pylock.toml too.
        Raises UserErrorException for an environment that is not registered.
        """
        if self.version is None:
            raise UserErrorException(
                f"{self.name} is not registered, so there is no version that a lock could be kept with: "
                "register(workspace) returns one.",
                code="EnvironmentNotRegistered",
            )
        body = LockRequest(interpreter=sys.executable, version=self.version, platform=platform, pylock=pylock)
        return LockedEnvironment.model_validate(_ask(workspace, (self.name, "lock"), body, show))

    @staticmethod
    def update(
        workspace: Workspace, name: str, packages: Sequence[str] = (), show: Callable[[str], None] = print
    ) -> LockedEnvironment:
        """Registers a version with the newest `packages` that the specification allows; none named: all.

        Its `changes` say what is another; where nothing is newer there are none, and no new version.
        """
        body = UpdateRequest(interpreter=sys.executable, packages=tuple(packages))
        return LockedEnvironment.model_validate(_ask(workspace, (name, "update"), body, show))

    def clone(self, new_name: str) -> Self:
        copied = self.from_specification(self.to_specification())
        copied.name = new_name
        return copied

    # --- files ---------------------------------------------------------------------------------------

    def save_to_directory(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Writes the definition and the conda YAML. Raises FileExistsError unless `overwrite`."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=overwrite)
        definition = {"name": self.name, "version": self.version, **self._definition()}
        (folder / _DEFINITION_FILE).write_text(json.dumps(definition, indent=4, sort_keys=True) + "\n")
        text = self.python.conda_dependencies.serialize_to_string()
        (folder / _CONDA_FILE).write_text(text, encoding="utf-8")
        (folder / _DOCKERFILE).unlink(missing_ok=True)
        if self.docker.base_dockerfile is not None:
            (folder / _DOCKERFILE).write_text(self.docker.base_dockerfile, encoding="utf-8")

    @classmethod
    def load_from_directory(cls, path: str | os.PathLike[str]) -> Self:
        """Raises FileNotFoundError if the folder holds no definition."""
        folder = Path(path)
        definition = _load_definition(folder / _DEFINITION_FILE)
        environment = cls(definition["name"])
        environment.version = definition.get("version")
        environment.environment_variables = dict(definition.get("environmentVariables") or {})
        environment.inferencing_stack_version = definition.get("inferencingStackVersion")
        python = definition.get("python") or {}
        environment.python.user_managed_dependencies = bool(python.get("userManagedDependencies"))
        environment.python.interpreter_path = python.get("interpreterPath") or "python"
        environment.python.resolver = python.get("resolver") or "auto"
        environment.python.conda_dependencies = CondaDependencies(folder / _CONDA_FILE)
        environment.docker.base_image = (definition.get("docker") or {}).get("baseImage")
        if (folder / _DOCKERFILE).is_file():
            environment.docker.base_dockerfile = folder / _DOCKERFILE
        return environment

    def _definition(self) -> dict[str, Any]:
        return {
            "environmentVariables": dict(self.environment_variables),
            "inferencingStackVersion": self.inferencing_stack_version,
            "python": {
                "condaDependencies": json.loads(json.dumps(self.python.conda_dependencies.as_dict())),
                "interpreterPath": self.python.interpreter_path,
                "resolver": self.python.resolver,
                "userManagedDependencies": self.python.user_managed_dependencies,
            },
            "docker": {
                "baseImage": self.docker.base_image,
                "baseDockerfile": self.docker.base_dockerfile,
            },
        }

    def __repr__(self) -> str:
        return json.dumps(
            {"name": self.name, "version": self.version, **self._definition()}, indent=4, sort_keys=True
        )


def _ask(
    workspace: Workspace, place: tuple[str, ...], body: records.Record, show: Callable[[str], None]
) -> dict[str, Any]:
    """The result of a streamed operation on environments; what it tells is shown line by line."""

    def show_line(progress: Progress) -> None:
        show(progress.message)

    path = address("workspaces", workspace.name, "environments", *place)
    return connect().progress(path, body=body.model_dump(mode="json"), show=show_line)


def _load_definition(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserErrorException(
            f"{file} is no definition of an environment: {error}.", code="DefinitionInvalid"
        ) from error
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        raise UserErrorException(
            f"{file} is no definition of an environment: it names none.", code="DefinitionInvalid"
        )
    return found
