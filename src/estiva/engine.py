"""The container engine: how it is reached, and where its client's errors become ours.

Any engine that speaks the Docker Engine API: Docker, here or elsewhere, and Podman through its socket.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
import requests
import urllib3
from docker.context import ContextAPI

from estiva.errors import EstivaError, RunEnvironmentException

CONTEXT_VARIABLE = "DOCKER_CONTEXT"
HOST_VARIABLE = "DOCKER_HOST"

_PING_SECONDS = 10
_ANSWER_SECONDS = 120

ERRORS = (
    docker.errors.DockerException,
    docker.errors.StreamParseError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
)
"""All that the client raises. Its APIError is an OSError too: catch these before that."""

_clients: dict[Place, docker.DockerClient] = {}
_guard = threading.Lock()


@dataclass(frozen=True)
class Place:
    """Where an engine listens, and who says so."""

    url: str
    said_by: str
    context: str | None = None
    """The Docker context, which may have certificates."""


def connect() -> docker.DockerClient:
    """A client of the engine, which has just answered. One per place, safe for many threads.

    Raises RunEnvironmentException with code "NoEngine" if none answers, and says what goes without one.
    """
    place = find()
    if not _socket_exists(place.url):
        raise _no_engine(place, FileNotFoundError(place.url))
    with _guard:
        client = _clients.get(place) or _clients.setdefault(place, _client(place))
    try:
        client.api.get(f"{client.api.base_url}/_ping", timeout=_PING_SECONDS).raise_for_status()
    except ERRORS as error:
        raise _no_engine(place, error) from error
    return client


def available() -> bool:
    """Whether an engine answers."""
    try:
        connect()
    except RunEnvironmentException:
        return False
    return True


def find() -> Place:
    """As the docker command does: DOCKER_HOST, else the current context; else Podman's socket, if there."""
    host = os.environ.get(HOST_VARIABLE)
    if host:
        return Place(host, HOST_VARIABLE)
    try:
        context = ContextAPI.get_context(os.environ.get(CONTEXT_VARIABLE) or None)
    except ERRORS as error:
        raise _bad_context(str(error)) from error
    if context is None:
        raise _bad_context("it does not exist")
    place = Place(
        str(context.Host).replace("http+unix://", "unix://"),
        f"the Docker context {context.name!r}",
        context.name,
    )
    podman = _podman_socket()
    if context.name == "default" and not _socket_exists(place.url) and podman.exists():
        return Place(f"unix://{podman}", "Podman's socket")
    return place


def _podman_socket() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    own = Path(runtime, "podman", "podman.sock")
    return own if own.exists() else Path("/run/podman/podman.sock")


def _socket_exists(url: str) -> bool:
    return not url.startswith("unix://") or Path(url.removeprefix("unix://")).exists()


def _client(place: Place) -> docker.DockerClient:
    try:
        if place.said_by == HOST_VARIABLE:
            return docker.from_env(timeout=_ANSWER_SECONDS, use_ssh_client=place.url.startswith("ssh://"))
        tls = ContextAPI.get_context(place.context).TLSConfig if place.context else None
        return docker.DockerClient(
            base_url=place.url,
            tls=tls or False,
            timeout=_ANSWER_SECONDS,
            use_ssh_client=place.url.startswith("ssh://"),
        )
    except ERRORS as error:
        raise _no_engine(place, error) from error


def _no_engine(place: Place, error: Exception) -> RunEnvironmentException:
    return RunEnvironmentException(
        f"No container engine answers at {place.url} (named by {place.said_by}). Start Docker or Podman, or "
        f"set {HOST_VARIABLE}, then run `estiva down`. Without an engine services run as processes, and "
        "Model.package(generate_dockerfile=True) gives a Dockerfile to build elsewhere.",
        code="NoEngine",
        detail=repr(error),
    )


def _bad_context(why: str) -> RunEnvironmentException:
    name = os.environ.get(CONTEXT_VARIABLE) or "that is current"
    return RunEnvironmentException(
        f"The Docker context {name} cannot be used: {why}. Choose another (`docker context use NAME`).",
        code="NoEngine",
    )


# --- errors ----------------------------------------------------------------------------------------------

_LOST = (
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    docker.errors.StreamParseError,
    urllib3.exceptions.HTTPError,
)
_LATE = (requests.Timeout,)

REFUSED = re.compile(
    r"unauthorized|no basic auth|authentication required|incorrect username or password|forbidden|denied",
    re.IGNORECASE,
)
UNKNOWN_IMAGE = re.compile(
    r"manifest unknown|not found|no such image|repository does not exist|name unknown",
    re.IGNORECASE,
)
DISK_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
WRONG_PLATFORM = re.compile(
    r"exec format error|no matching manifest|does not match the (specified|detected)", re.IGNORECASE
)


@contextmanager
def translated(what: str, kind: type[EstivaError]) -> Iterator[None]:
    """The client's errors as `kind`; `what` is how its sentence begins: "The image x cannot be pulled"."""
    try:
        yield
    except ERRORS as error:
        raise explain(what, error, kind) from error


def explain(what: str, error: Exception, kind: type[EstivaError]) -> EstivaError:
    """Codes: "EngineTimeout", "EngineLost", and those of `explain_text`."""
    if isinstance(error, _LATE):
        return kind(
            f"{what}: the container engine did not answer in time. Is the machine overloaded? Try again.",
            code="EngineTimeout",
            detail=repr(error),
        )
    if isinstance(error, _LOST):
        return kind(
            f"{what}: the container engine ended or dropped the connection. Start it (`docker version` tells "
            "whether it answers), then try again.",
            code="EngineLost",
            detail=repr(error),
        )
    said = error.explanation if isinstance(error, docker.errors.APIError) else None
    return explain_text(what, str(said or error), kind)


def explain_text(what: str, said: str, kind: type[EstivaError]) -> EstivaError:
    """What the engine said, as an error.

    Codes: "DiskFull", "PlatformMismatch", "RegistryRefused", "ImageNotFound", else "EngineFailed".
    """
    for pattern, code, todo in _EXPLANATIONS:
        if pattern.search(said):
            return kind(f"{what}: {said.strip().rstrip('.')}. {todo}", code=code, detail=said)
    return kind(f"{what}: the container engine said: {said.strip()}", code="EngineFailed", detail=said)


_EXPLANATIONS = (
    (
        DISK_FULL,
        "DiskFull",
        "Free space where the engine keeps its data (`docker system df` tells what takes it).",
    ),
    (
        WRONG_PLATFORM,
        "PlatformMismatch",
        (
            "The image is made for another kind of processor than the engine's. Choose an image for "
            "this one, or install the engine's emulation (binfmt) for the other."
        ),
    ),
    (
        REFUSED,
        "RegistryRefused",
        (
            "The registry does not know you, or does not let you: check the name, and log in with "
            "`docker login` or give credentials (base_image_registry)."
        ),
    ),
    (UNKNOWN_IMAGE, "ImageNotFound", "Check the image's name and tag, and the registry in it."),
)


def is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
