"""Has a container engine build what was planned; finds, tags, pushes and pulls images."""

from __future__ import annotations

import os
import queue
import re
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors
from filelock import FileLock

from estiva import engine
from estiva.errors import ImageException
from estiva.images import dockerfile
from estiva.images.context import write_tar
from estiva.images.planning import BUILD_LABEL, LAYER_LABEL, SETTINGS
from estiva.images.records import Layer, Plan

OnLine = Callable[[str], None]
Cancelled = Callable[[], bool]

BUILD_SECONDS = 30 * 60.0
_POLL_SECONDS = 0.1
_END_SECONDS = 10
_TAIL_LINES = 200
_COLOR = re.compile(r"\x1b\[\d*m")  # the engine marks what went to stderr
# As Docker says it, and Podman.
_NOISE = re.compile(
    r" ---> |--> |Removing intermediate container |Successfully (built|tagged) |(\[\d+/\d+\] )?COMMIT "
)
STEP = re.compile(r"(\[\d+/\d+\] )?step \d+/\d+ ?: (?P<instruction>.+)", re.IGNORECASE)


@dataclass(frozen=True)
class Credentials:
    """For one registry; where there are none, Docker's own configuration and its helpers are asked."""

    username: str
    password: str

    def as_docker(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password}


def base_id(
    reference: str, on_line: OnLine, credentials: Credentials | None = None, platform: str | None = None
) -> str:
    """The id of a base image, which is pulled unless the engine has it.

    ImageException with the codes of `engine.explain`; "PlatformMismatch" if it is for another processor.
    """
    client = engine.connect()
    found = _inspect(client, reference)
    if found is None:
        pull(reference, on_line, credentials, platform)
        found = _inspect(client, reference) or {}
    own = client.version()
    wanted = platform or f"{own['Os']}/{own['Arch']}"
    made_for = f"{found.get('Os')}/{found.get('Architecture')}"
    if made_for != "/".join(wanted.split("/")[:2]):
        raise ImageException(
            f"The base image {reference} is made for {made_for}, but {wanted} is wanted. Choose an image for "
            f"{wanted}, or set docker.platform in the environment if the engine can run {made_for}.",
            code="PlatformMismatch",
        )
    return str(found["Id"])


def machine() -> str:
    """The engine's kind of processor: "amd64"."""
    with engine.translated("The container engine cannot be asked what it is", ImageException):
        return str(engine.connect().version()["Arch"])


def exists(reference: str) -> bool:
    """Whether the engine has an image of that name."""
    return _inspect(engine.connect(), reference) is not None


def obtainable(reference: str) -> bool:
    """Whether the engine has the image, or its registry offers it."""
    if exists(reference):
        return True
    client = engine.connect()
    try:
        with engine.translated(f"The image {reference} cannot be looked up", ImageException):
            client.api.inspect_distribution(reference, _auth(client, None))  # type: ignore[no-untyped-call]
    except ImageException:
        return False
    return True


def build(
    plan: Plan,
    on_line: OnLine,
    cancelled: Cancelled = lambda: False,
    settings: Mapping[str, str] | None = None,
    name: str | None = None,
) -> str:
    """Builds the layers that the engine does not have; returns the image's reference. Idempotent.

    `settings`: build arguments (planning.SETTINGS), which stay in no image. ImageException with the codes of
    `engine.explain`, "BuildFailed" (its detail: what the failed step printed), "Cancelled", "BuildTimeout".
    """
    client = engine.connect()
    present = next(
        (number for number in reversed(range(len(plan.layers))) if _has(client, plan.layers[number])), -1
    )
    parent = plan.layers[present].reference if present >= 0 else plan.base.reference or ""
    for number, layer in enumerate(plan.layers):
        if number <= present:
            on_line(f"The {layer.name} layer is unchanged: {layer.reference}")
            continue
        with _alone(layer):
            if not _has(client, layer):
                _Building(client, plan, layer, parent, settings or {}).run(on_line, cancelled)
        parent = layer.reference
    if name is not None:
        tag(parent, name)
    return name or parent


def tag(reference: str, name: str) -> None:
    """Gives an image another name, which no other has any more."""
    with engine.translated(f"The image cannot be named {name}", ImageException):
        engine.connect().api.tag(reference, *_split(name))


def _alone(layer: Layer) -> FileLock:
    """One builder of a layer at a time on this machine; the others then find it built."""
    return FileLock(Path(tempfile.gettempdir(), f"estiva-{os.getuid()}-{layer.digest[:32]}.lock"))


def image_id(reference: str) -> str:
    """ "sha256:...": the engine's id of an image that it has."""
    found = _inspect(engine.connect(), reference)
    if found is None:
        raise ImageException(f"The engine has no image {reference}.", code="ImageNotFound")
    return str(found["Id"])


def push(reference: str, on_line: OnLine, credentials: Credentials | None = None) -> str:
    """Pushes an image; returns "registry/name@sha256:...", by which anybody can pull exactly it."""
    repository, tag = _split(reference)
    what = f"The image {reference} cannot be pushed"
    client = engine.connect()
    digest = ""
    with engine.translated(what, ImageException):
        auth = _auth(client, credentials)
        for event in client.api.push(repository, tag, auth_config=auth, stream=True, decode=True):
            _show(event, what, on_line)
            digest = event.get("aux", {}).get("Digest", digest)
    return f"{repository}@{digest}"


def pull(
    reference: str, on_line: OnLine, credentials: Credentials | None = None, platform: str | None = None
) -> None:
    """Pulls an image, and tells what Docker tells."""
    repository, tag = _split(reference)
    what = f"The image {reference} cannot be pulled"
    client = engine.connect()
    with engine.translated(what, ImageException):
        auth = _auth(client, credentials)
        events = client.api.pull(
            repository, tag, auth_config=auth, platform=platform, stream=True, decode=True
        )
        for event in events:
            _show(event, what, on_line)


def _auth(client: docker.DockerClient, credentials: Credentials | None) -> dict[str, str] | None:
    """None: the client asks Docker's configuration, as it is now: after a `docker login`, say."""
    if credentials is not None:
        return credentials.as_docker()
    client.api.reload_config()
    return None


def _show(event: dict[str, Any], what: str, on_line: OnLine) -> None:
    if "error" in event:
        raise engine.explain_text(what, str(event["error"]), ImageException)
    if event.get("status") and not event.get("progressDetail"):
        on_line(f"{event['id']}: {event['status']}" if event.get("id") else str(event["status"]))


def _split(reference: str) -> tuple[str, str]:
    """ "registry:5000/name:tag" -> ("registry:5000/name", "tag"); a digest takes the tag's place."""
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    head, colon, tag = reference.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (reference, "latest")


def _inspect(client: docker.DockerClient, reference: str) -> dict[str, Any] | None:
    with engine.translated(f"The image {reference} cannot be looked up", ImageException):
        try:
            found: dict[str, Any] = client.api.inspect_image(reference)  # type: ignore[no-untyped-call]
        except docker.errors.ImageNotFound:
            return None
    return found


def _has(client: docker.DockerClient, layer: Layer) -> bool:
    found = _inspect(client, layer.reference)
    return found is not None and (found["Config"].get("Labels") or {}).get(LAYER_LABEL) == layer.digest


class _Building:
    """The build of one layer, in a thread, so that it can be given up while the engine is silent."""

    def __init__(
        self, client: docker.DockerClient, plan: Plan, layer: Layer, parent: str, settings: Mapping[str, str]
    ) -> None:
        self._client = client
        self._plan = plan
        self._layer = layer
        self._parent = parent
        self._settings = settings
        self._events: queue.SimpleQueue[dict[str, Any] | Exception | None] = queue.SimpleQueue()
        self._step = "FROM"
        self._partial = ""
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    def run(self, on_line: OnLine, cancelled: Cancelled) -> None:
        on_line(f"Building the {self._layer.name} layer {self._layer.reference}")
        thread = threading.Thread(target=self._follow, name=f"build {self._layer.name}", daemon=True)
        thread.start()
        try:
            for event in self._until_its_end(cancelled):
                self._take(event, on_line)
        finally:
            if self._layer.preparation:
                self._end_preparation()
                self._wait_for(thread)

    def _wait_for(self, thread: threading.Thread) -> None:
        """Until the engine has given up: a step may be about to begin, and fails without its container."""
        deadline = time.monotonic() + _END_SECONDS
        thread.join(_POLL_SECONDS)
        while thread.is_alive() and time.monotonic() < deadline:
            self._end_preparation()
            thread.join(_POLL_SECONDS)
        self._end_preparation()

    def _follow(self) -> None:
        try:
            with tempfile.TemporaryFile() as context:
                text = dockerfile.of_layer(self._layer, self._parent)
                write_tar(context, text, self._layer.files, self._layer.directories)
                context.seek(0)
                for event in self._client.api.build(
                    fileobj=context,
                    custom_context=True,
                    tag=self._layer.reference,
                    rm=True,
                    forcerm=True,
                    decode=True,
                    buildargs=self._arguments(),
                    labels={LAYER_LABEL: self._layer.digest},
                    platform=self._plan.platform,
                    timeout=int(BUILD_SECONDS),
                ):
                    self._events.put(event)
        except (*engine.ERRORS, OSError) as error:
            self._events.put(error)
        else:
            self._events.put(None)

    def _until_its_end(self, cancelled: Cancelled) -> Iterator[dict[str, Any]]:
        deadline = time.monotonic() + BUILD_SECONDS
        while True:
            if cancelled():
                raise ImageException("Building the image was cancelled.", code="Cancelled")
            if time.monotonic() > deadline:
                raise ImageException(
                    f"Building the image took longer than {BUILD_SECONDS / 60:.0f} minutes and was ended.",
                    code="BuildTimeout",
                    detail="\n".join(self._tail),
                )
            with suppress(queue.Empty):
                event = self._events.get(timeout=_POLL_SECONDS)
                if event is None:
                    return
                if isinstance(event, Exception):
                    raise self._explained(event) from event
                yield event

    def _explained(self, error: Exception) -> Exception:
        what = f"The {self._layer.name} layer of the image cannot be built"
        if isinstance(error, engine.ERRORS):
            return engine.explain(what, error, ImageException)
        code = "DiskFull" if isinstance(error, OSError) and engine.is_full(error) else "ImageFailed"
        return ImageException(f"{what}: {error}.", code=code, detail=repr(error))

    def _take(self, event: dict[str, Any], on_line: OnLine) -> None:
        if "error" in event:
            raise self._failure(str(event["error"]))
        self._partial += _COLOR.sub("", str(event.get("stream", "")))
        *lines, self._partial = self._partial.split("\n")
        for line in lines:
            if line.strip() and not _NOISE.match(line):
                self._tell(line, on_line)

    def _tell(self, line: str, on_line: OnLine) -> None:
        step = STEP.match(line)
        if step:
            self._step = step["instruction"]
            self._tail.clear()
        else:
            self._tail.append(line)
        on_line(line)

    def _arguments(self) -> dict[str, str]:
        if not self._layer.preparation:
            return {}
        return {name: value for name, value in self._settings.items() if name in SETTINGS}

    def _failure(self, said: str) -> Exception:
        output = "\n".join(self._tail)
        step = self._step if len(self._step) < 120 else f"{self._step[:117]}..."
        what = f"The {self._layer.name} layer of the image cannot be built; its step `{step}` failed"
        for text in (said, output):
            if engine.DISK_FULL.search(text) or engine.WRONG_PLATFORM.search(text):
                return engine.explain_text(what, text, ImageException)
        if self._step.startswith("FROM"):
            return engine.explain_text(what, said, ImageException)
        last = " | ".join(list(self._tail)[-5:])
        return ImageException(f"{what}: {last or said}", code="BuildFailed", detail=output or said)

    def _end_preparation(self) -> None:
        """What the stage that installs leaves holds build arguments: its containers and images go."""
        mark = f"{BUILD_LABEL}={self._layer.digest}"
        with engine.translated("What a build has left cannot be removed", ImageException):
            for container in self._client.api.containers(all=True, filters={"label": mark}):
                self._remove(self._client.api.remove_container, container["Id"], v=True, force=True)
            filters = {"label": mark, "dangling": True}
            for image in self._client.api.images(filters=filters):
                self._remove(self._client.api.remove_image, image["Id"])

    def _remove(self, remove: Callable[..., object], identity: str, **options: bool) -> None:
        # Somebody else may be removing it, or still use it; who does removes it in turn.
        with suppress(docker.errors.APIError):
            remove(identity, **options)
