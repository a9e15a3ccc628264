"""What an image is made of: files, layers, and the plan that has them in order. Data; no behaviour."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from estiva.records import Record

LayerName = Literal["base", "environment", "models", "debugger", "code"]


class ContextFile(Record):
    """A file of a build context: its content is `text`, or that of `source`."""

    path: str
    """In the context, with forward slashes."""
    text: str | None = None
    source: str | None = None
    """A file of this machine."""
    sha256: str = ""
    """Of the source's content, where it is part of what the layer is."""
    executable: bool = False
    keyed: bool = True
    """Whether its content is part of what the layer is; a tool that only builds it is not."""

    @property
    def identity(self) -> tuple[str, str, bool]:
        text = self.text
        return (
            self.path,
            self.sha256 if text is None else hashlib.sha256(text.encode()).hexdigest(),
            self.executable,
        )


class Layer(Record):
    """One image upon another: instructions, and the files that they copy."""

    name: LayerName
    instructions: str
    """Those of its Dockerfile after the FROM; all of it, in a base that the user's own Dockerfile makes."""
    preparation: str = ""
    """A stage that is built first, from the same parent, and of which only what is copied stays."""
    files: tuple[ContextFile, ...] = ()
    directories: tuple[str, ...] = ()
    parent: str
    """Digest of the layer below, or what names the base image."""

    @property
    def digest(self) -> str:
        """SHA-256 over all that it is, with what is below it; equal wherever and whenever it is planned."""
        files = sorted(file.identity for file in self.files if file.keyed)
        content = [
            self.name,
            self.parent,
            self.preparation,
            self.instructions,
            files,
            sorted(self.directories),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    @property
    def reference(self) -> str:
        """Its name in the engine."""
        return f"estiva/{self.name}:{self.digest[:32]}"


class BaseImage(Record):
    """What an image is built upon: an image of that name, or the one that a Dockerfile makes."""

    reference: str | None = None
    image_id: str = ""
    """The id that the engine knows it by; empty where there is no engine to ask."""
    dockerfile: str | None = None
    files: tuple[ContextFile, ...] = ()
    """The build context of the Dockerfile."""


class Interpreter(Record):
    """The Python of the environment in an image."""

    version: str | None = None
    """"3.11": the base image's own if it has that, else one uv downloads. None: the base image's."""
    path: str | None = None
    """That of the base image at this path, whose packages are used as they are."""

    @property
    def borrowed(self) -> bool:
        """Whether the packages are those of the base image."""
        return self.version is None


class Packages(Record):
    """What is installed into an image: the lock, and how to get it."""

    interpreter: Interpreter
    requirements: str = ""
    """Exactly these, as a requirements file; paths in it are those of an image being built."""
    hashed: bool = True
    """Whether each requirement has its hashes."""
    files: tuple[ContextFile, ...] = ()
    """Files of this machine that the requirements name."""


class ScoringServer(Record):
    """The scoring server as it goes into an image."""

    files: tuple[ContextFile, ...]
    requirements: tuple[str, ...]
    """Its own dependencies."""
    pth: str
    """What makes an environment find it."""


class Tools(Record):
    """What building needs and an image never keeps."""

    uv: str
    """Path of a uv for the image's platform."""
    certificates: str | None = None
    """Path of the CA certificates that this machine trusts, if it says so."""


class Content(Record):
    """Everything that an image is to hold beside its base."""

    packages: Packages
    server: ScoringServer
    tools: Tools
    models: tuple[ContextFile, ...] = ()
    """Placed below the app root."""
    model_directories: tuple[str, ...] = ()
    debugger: str = ""
    """The requirement of the debugger that goes in; empty: none does."""
    code: tuple[ContextFile, ...] = ()
    code_directories: tuple[str, ...] = ()
    variables: dict[str, str] = {}
    labels: dict[str, str] = {}


class Plan(Record):
    """The layers of an image, lowest first, upon a base image."""

    base: BaseImage
    layers: tuple[Layer, ...]
    platform: str | None = None
    """"linux/arm64"; None: the engine's own."""

    @property
    def digest(self) -> str:
        return self.layers[-1].digest

    @property
    def files(self) -> tuple[ContextFile, ...]:
        return tuple(file for layer in self.layers for file in layer.files)

    @property
    def directories(self) -> tuple[str, ...]:
        return tuple(path for layer in self.layers for path in layer.directories)
