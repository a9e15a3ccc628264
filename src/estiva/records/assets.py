"""What a workspace keeps for its services: models and environments."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Literal

from pydantic import Field, SecretStr, SerializationInfo, field_serializer

from estiva.records.base import Record, now
from estiva.records.content import Tree
from estiva.records.publications import Certificate


class Workspace(Record):
    name: str
    subscription_id: str = ""
    resource_group: str = ""
    location: str = ""
    tags: dict[str, str] = {}
    base_image: str | None = None
    """What images are built upon whose environment does not say; "{python}" in it becomes "3.11"."""
    registry: str | None = None
    """Where packages are pushed: "registry.example.org/team"; None: they stay in the local engine."""
    port: int | None = None
    """What its services share on 127.0.0.1, each below its own path; chosen when the first one needs it."""
    certificate: Certificate | None = None
    """Of that port, which then speaks TLS alone."""
    created_time: datetime = Field(default_factory=now)


class Model(Record):
    """A registered, immutable file or folder."""

    name: str
    version: int
    tree: Tree
    description: str | None = None
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    framework: str | None = None
    framework_version: str | None = None
    experiment_name: str | None = None
    run_id: str | None = None
    created_by: str = ""
    created_time: datetime = Field(default_factory=now)

    @property
    def id(self) -> str:
        return f"{self.name}:{self.version}"


class ContainerRegistry(Record):
    """Where an environment's base image comes from, if not from where its name says."""

    address: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    """Goes to the control server with a request; a service keeps it as its secrets, and never shows it."""

    @field_serializer("password", when_used="json")
    def _reveal(self, value: SecretStr | None, info: SerializationInfo) -> str | None:
        reveals = value is not None and (info.context or {}).get("reveal")
        return value.get_secret_value() if value is not None and reveals else None


Resolver = Literal["auto", "conda", "pypi"]
"""Where conda packages come from: channels; PyPI, under the names that they have there; or, with "auto",
channels, and PyPI where no channel can be reached."""


class BuildContext(Record):
    """A folder with a Dockerfile, as it was when it was taken."""

    tree: Tree
    dockerfile: str = "Dockerfile"
    """Its path in the folder."""


class EnvironmentSpecification(Record):
    """What a score script needs, as the user said it."""

    name: str
    python_version: str | None = None
    """"3.11", "3.11.7" or ">=3.10,<3.13"; None means the version of the interpreter that the user runs."""
    conda_packages: tuple[str, ...] = ()
    """Without python and pip themselves, in conda's notation ("numpy=1.26", "scipy>=1.10")."""
    pip_packages: tuple[str, ...] = ()
    pip_options: tuple[str, ...] = ()
    """Lines as in a requirements file: "--index-url URL", "--find-links PATH", ..."""
    channels: tuple[str, ...] = ()
    resolver: Resolver = "auto"
    variables: dict[str, str] = {}
    borrowed_from: str | None = None
    """An interpreter whose installed packages are used as they are; set when no specification was given."""
    base_image: str | None = None
    base_dockerfile: str | None = None
    build_context: BuildContext | None = None
    base_image_registry: ContainerRegistry | None = None
    platform: str | None = None
    """Of an image: "linux/arm64"; None means the engine's own."""
    inferencing_stack_version: str | None = None

    @property
    def names_base(self) -> bool:
        """Whether it says what its image is built upon."""
        return any(part is not None for part in (self.base_image, self.base_dockerfile, self.build_context))


class Environment(Record):
    """A registered environment; versions are strings, as scripts expect."""

    name: str
    version: str
    specification: EnvironmentSpecification
    created_time: datetime = Field(default_factory=now)


class CondaPackage(Record):
    """One conda package, as its channel describes it."""

    name: str
    version: str
    build: str
    build_number: int = 0
    subdir: str
    """ "linux-64", "noarch", ..."""
    noarch: str | None = None
    """ "python" or "generic"."""
    depends: tuple[str, ...] = ()
    url: str
    sha256: str
    md5: str | None = None
    size: int | None = None


class Lock(Record):
    """The exact packages that a specification resolved to on this platform."""

    python: str
    """Path of the interpreter that the environment is made from; empty if it is one of the conda packages."""
    python_version: str
    """Its full version, "3.11.7"."""
    platform: str
    requirements: str
    """Requirements with hashes, as uv writes them; for a borrowed environment, what was installed there."""
    conda: tuple[CondaPackage, ...] = ()
    """By name. What `requirements` says is installed after them, into the same prefix."""
    borrowed: bool = False
    notices: tuple[str, ...] = ()
    """Sentences that the user should read: what was substituted, and why."""

    @property
    def digest(self) -> str:
        """Names the built environment: same digest, same environment."""
        content: list[object] = [self.python, self.python_version, self.platform, self.requirements]
        content += [self.borrowed, *((package.url, package.sha256) for package in self.conda)]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()
