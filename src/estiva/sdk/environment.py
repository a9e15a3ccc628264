"""Environments: what a score script needs, and where versions of it are kept."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from estiva import records, specification
from estiva.errors import UserErrorException
from estiva.messages import (
    BuiltEnvironment,
    BundleExport,
    BundleImport,
    EnvironmentBuild,
    EnvironmentImage,
    EnvironmentInference,
    ImportedEnvironment,
    InferredEnvironment,
    LockedEnvironment,
    LockRequest,
    Progress,
    UpdateRequest,
)
from estiva.sdk.conda_dependencies import CondaDependencies, read_text, read_yaml
from estiva.sdk.connection import address, connect
from estiva.sdk.docker import ContainerRegistry, DockerBuildContext, DockerImagePlatform, DockerSection
from estiva.sdk.images import DockerImageDetails, ImageBuildDetails
from estiva.sdk.sections import Section
from estiva.sdk.workspace import Workspace

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "CondaDependencies",
    "ContainerRegistry",
    "DockerBuildContext",
    "DockerImagePlatform",
    "DockerSection",
    "Environment",
    "PythonSection",
]

_DEFINITION_FILE = "azureml_environment.json"
_CONDA_FILE = "conda_dependencies.yml"
_DOCKERFILE = "BaseDockerfile"


class PythonSection(Section):
    _names: tuple[str, ...] = (
        *("conda_dependencies", "interpreter_path", "resolver", "user_managed_dependencies"),
    )

    def __init__(self) -> None:
        self.conda_dependencies = CondaDependencies()
        self.interpreter_path = "python"
        self.resolver: records.Resolver = "auto"
        self.user_managed_dependencies = False


class Environment(Section):
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
    def from_docker_image(
        cls,
        name: str,
        image: str,
        container_registry: ContainerRegistry | None = None,
        conda_specification: str | os.PathLike[str] | None = None,
        pip_requirements: str | os.PathLike[str] | None = None,
    ) -> Self:
        """An image, with the packages of one of the files added; without one, with those that it has."""
        environment = cls._upon(name, conda_specification, pip_requirements)
        environment.docker.base_image = image
        if container_registry is not None:
            environment.docker.base_image_registry = container_registry
        return environment

    @classmethod
    def from_dockerfile(
        cls,
        name: str,
        dockerfile: Any,
        conda_specification: str | os.PathLike[str] | None = None,
        pip_requirements: str | os.PathLike[str] | None = None,
    ) -> Self:
        """As `from_docker_image`, with the image that a Dockerfile makes: its text, or the path of a file."""
        environment = cls._upon(name, conda_specification, pip_requirements)
        environment.docker.base_dockerfile = dockerfile
        return environment

    @classmethod
    def from_docker_build_context(cls, name: str, docker_build_context: DockerBuildContext) -> Self:
        """The image that a folder with a Dockerfile makes, with the packages that it has."""
        environment = cls._upon(name, None, None)
        environment.docker.build_context = docker_build_context
        return environment

    @classmethod
    def infer(
        cls,
        workspace: Workspace,
        name: str,
        entry_script: str | os.PathLike[str],
        model_path: str | os.PathLike[str] | None = None,
        show: Callable[[str], None] = print,
    ) -> Self:
        """A proposal: what the script imports and the model says, in the versions that are installed here.

        The model is not loaded. `show` is handed what the user should know, sentence by sentence.
        """
        body = EnvironmentInference(
            name=name,
            interpreter=sys.executable,
            entry_script=str(Path(entry_script).absolute()),
            model=str(Path(model_path).absolute()) if model_path else None,
        )
        path = address("workspaces", workspace.name, "environments", "infer")
        answer = connect().request("POST", path, body=body.model_dump(mode="json"))
        found = InferredEnvironment.model_validate(answer)
        for notice in found.notices:
            show(notice)
        return cls.from_specification(found.specification)

    @classmethod
    def _upon(
        cls, name: str, conda: str | os.PathLike[str] | None, pip: str | os.PathLike[str] | None
    ) -> Self:
        """What is added to an image."""
        if conda is not None and pip is not None:
            raise UserErrorException(
                "Give conda_specification or pip_requirements, not both.", code="DependenciesTwice"
            )
        if conda is not None:
            return cls.from_conda_specification(name, conda)
        if pip is not None:
            return cls.from_pip_requirements(name, pip)
        environment = cls(name)
        environment.python.user_managed_dependencies = True
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
        environment.docker.take(found)
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
                **self.docker.to_fields(),
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
    ) -> ImageBuildDetails:
        """Registers the environment and begins to make ready what its deployments run.

        That is its image, if it says what that is built upon; else its packages on this machine.
        """
        body = self._wanted().model_copy(update={"version": self.register(workspace).version})
        what = "image" if body.specification.names_base else "build"
        return ImageBuildDetails(address("workspaces", workspace.name, "environments", what), body.body())

    def build_local(
        self,
        workspace: Workspace,
        platform: Any = None,  # noqa: ARG002
        useDocker: bool = False,  # noqa: N803  as SDK v1 has it
        **_cloud: Any,
    ) -> BuiltEnvironment | EnvironmentImage:
        """Makes its packages ready on this machine, or with `useDocker` its image, and waits for that."""
        return self.build_image(workspace) if useDocker else self.build_packages(workspace)

    def build_packages(
        self, workspace: Workspace, show: Callable[[str], None] = print, offline: bool = False
    ) -> BuiltEnvironment:
        """Resolves and installs them now, so that a deployment as a process finds them ready.

        `offline`: only from what was downloaded before. Raises EnvironmentException that names the package at
        fault.
        """
        body = self._wanted().model_copy(update={"offline": offline})
        return BuiltEnvironment.model_validate(_ask(workspace, ("build",), body, show))

    def build_image(self, workspace: Workspace, show: Callable[[str], None] = print) -> EnvironmentImage:
        """Builds the image that those of its deployments and packages are built upon.

        Raises EnvironmentException that names the package at fault, ImageException for a base image or a step
        of its Dockerfile, RunEnvironmentException where there is no container engine.
        """
        return EnvironmentImage.model_validate(_ask(workspace, ("image",), self._wanted(), show))

    def get_image_details(self, workspace: Workspace) -> DockerImageDetails:
        """What its image is called and made of, whether or not it is built."""
        found = _ask(workspace, ("image", "details"), self._wanted(), _ignore)
        return DockerImageDetails.of(EnvironmentImage.model_validate(found))

    def _wanted(self) -> EnvironmentBuild:
        return EnvironmentBuild(
            specification=self.to_specification(), version=self.version, interpreter=sys.executable
        )

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

    def export(
        self, workspace: Workspace, path: str | os.PathLike[str], show: Callable[[str], None] = print
    ) -> None:
        """Writes a bundle: everything that this registered version is made from on this machine."""
        target = str(Path(path).absolute())
        body = BundleExport(interpreter=sys.executable, path=target, version=self.version)
        _ask(workspace, (self.name, "export"), body, show)

    @staticmethod
    def import_bundle(
        workspace: Workspace,
        path: str | os.PathLike[str],
        name: str | None = None,
        show: Callable[[str], None] = print,
    ) -> ImportedEnvironment:
        """Registers and builds what is in a bundle, without a network; `name` instead of that in it."""
        body = BundleImport(interpreter=sys.executable, path=str(Path(path).absolute()), name=name)
        return ImportedEnvironment.model_validate(_ask(workspace, ("import",), body, show))

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
        docker = definition.get("docker") or {}
        environment.docker.base_image = docker.get("baseImage")
        if docker.get("buildContext"):
            environment.docker.build_context = DockerBuildContext.from_definition(docker["buildContext"])
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
                "buildContext": self.docker.build_context and self.docker.build_context.to_definition(),
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
    sent = body.body() if isinstance(body, EnvironmentBuild) else body.model_dump(mode="json")
    return connect().progress(path, body=sent, show=show_line)


def _ignore(_line: str) -> None:
    """For what is asked and not built."""


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
