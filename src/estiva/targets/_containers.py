"""The containers of one control server: found by their labels; and what the engine is to do with them."""

from __future__ import annotations

import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import docker
import docker.errors

from estiva import engine
from estiva.errors import RunEnvironmentException, TargetException
from estiva.records import Launch, Mount, ServiceKey
from estiva.targets import _archive, _container
from estiva.targets._container import Container, Run
from estiva.targets._container_logs import remembered

_LOOPBACK = "127.0.0.1"
_LATE_SECONDS = 5.0
_MOST_READY_SECONDS = 10.0
_MOST_STARTING_SECONDS = 2.0
_GONE = 404
_BUSY = 409
_PORT_TAKEN = re.compile(r"port is already allocated|address already in use", re.IGNORECASE)
_NO_GPU = re.compile(r"could not select device driver|unknown or invalid runtime.*nvidia", re.IGNORECASE)


class PortTakenError(Exception):
    """Somebody has the port that a container was to have."""


class Containers:
    """`owner` marks those of this control server, beside which the engine may have others'."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._runs: dict[str, _Reading] = {}
        self._guard = threading.Lock()
        self._silent_until = 0.0

    # --- finding -------------------------------------------------------------------------------------

    def all(self, key: ServiceKey) -> list[Container]:
        """Those of a service, in the order of generation and replica, newest last."""
        labels = [f"{_container.OWNER_LABEL}={self.owner}", f"{_container.SERVICE_LABEL}={key}"]
        with self.engine("The containers cannot be listed") as client:
            found = client.api.containers(all=True, filters={"label": labels})
            inspected = [one for each in found if (one := _inspect(client, each["Id"]))]
        return sorted(inspected, key=lambda each: (each.generation, each.index, each.facts["Created"]))

    def keys(self) -> set[ServiceKey]:
        """The services that have any."""
        with self.engine("The containers cannot be listed") as client:
            filters = {"label": f"{_container.OWNER_LABEL}={self.owner}"}
            return {
                _container.key_of(each["Labels"]) for each in client.api.containers(all=True, filters=filters)
            }

    def named(self, name: str) -> Container | None:
        with self.engine(f"The container {name} cannot be looked up") as client:
            return _inspect(client, name)

    def run_of(self, container: Container) -> Run:
        """What its files say, as long as that cannot have changed much.

        Reading them takes the engine a tenth of a second: while a replica starts it is asked more and more
        rarely, and when it is ready, only now and then.
        """
        with self._guard:
            known = self._runs.get(container.id)
        if known is not None and known.holds_for(container):
            return known.run
        run = self._read(container)
        with self._guard:
            self._runs[container.id] = _Reading(container.life, run, time.monotonic())
        return run

    def _read(self, container: Container) -> Run:
        with self.engine(f"The state of {container.name} cannot be read") as client:
            try:
                parts, _ = client.api.get_archive(container.id, _container.RUN_FOLDER)
                status, history = _archive.read(parts)
            except docker.errors.NotFound:  # it was removed, or ended before it made the folder
                return Run()
            ended = container.ended and bool(container.facts["State"]["OOMKilled"])
            worker_killed = status is not None and status.worker_signal == _container.SIGKILL
            return Run(status, history, ended or (worker_killed and _ran_out(client, container)))

    # --- changing ------------------------------------------------------------------------------------

    def create(self, name: str, launch: Launch, index: int, address: tuple[str, int]) -> Container:
        """A container that is not started yet. Raises TargetException, "ImageNotFound" for one."""
        with self.engine(f"The container {name} cannot be created") as client:
            host = client.api.create_host_config(**_container.host_options(launch, *address))
            made = client.api.create_container(
                launch.image,
                command=_container.command(launch),
                name=name,
                environment=_container.variables(launch),
                labels=_container.labels_of(self.owner, launch, index),
                ports=_container.ports(launch),
                # Its own status says more, and a check every few seconds is a new Python each time.
                healthcheck={"test": ["NONE"]},
                host_config=host,
            )
            return Container(client.api.inspect_container(made["Id"]))

    def put(self, container: Container, mounts: tuple[Mount, ...], texts: Mapping[str, str]) -> None:
        """Copies files into a container that does not run."""
        with (
            self.engine(f"The files of {container.name} cannot be copied") as client,
            tempfile.TemporaryFile() as tar,
        ):
            try:
                _archive.write(tar, mounts, texts)
            except OSError as error:
                code = "DiskFull" if engine.is_full(error) else "TargetFailed"
                raise TargetException(f"The files of {container.name}: {error}.", code=code) from error
            tar.seek(0)
            client.api.put_archive(container.id, "/", tar)

    def start(self, container: Container) -> None:
        """Raises PortTakenError, or TargetException: "NoGpu", and the codes of `engine.explain`."""
        with self.engine(f"The container {container.name} cannot be started") as client:
            try:
                client.api.start(container.id)
            except docker.errors.APIError as error:
                said = str(error.explanation)
                if _PORT_TAKEN.search(said):
                    raise PortTakenError(said) from error
                if _NO_GPU.search(said):
                    raise _no_gpu(said) from error
                raise

    def unpause(self, container: Container) -> None:
        with self.engine(f"The container {container.name} cannot go on") as client, _settled(_BUSY):
            client.api.unpause(container.id)

    def set_aside(self, container: Container) -> Container | None:
        """Gives it the name of one that was stopped on purpose, in the place of the one before."""
        name = _container.set_aside_name(container.name)
        with self.engine(f"The container {container.name} cannot be stopped") as client:
            before = _inspect(client, name)
            if before is not None:
                self.remove(before)
            with _settled(_GONE):
                client.api.rename(container.id, name)
            return _inspect(client, container.id)

    def stop(self, container: Container, seconds: float) -> None:
        """Asks it to drain; the engine kills it after so many seconds."""
        with self.engine(f"The container {container.name} cannot be stopped") as client, _settled(_GONE):
            if container.state == "paused":
                client.api.unpause(container.id)
            client.api.stop(container.id, timeout=int(seconds))

    def remove(self, container: Container) -> None:
        with (
            self.engine(f"The container {container.name} cannot be removed") as client,
            _settled(_GONE, _BUSY),  # or it is being removed already
        ):
            client.api.remove_container(container.id, v=True, force=True)
        with self._guard:
            self._runs.pop(container.id, None)

    # --- the engine ----------------------------------------------------------------------------------

    @contextmanager
    def engine(self, what: str) -> Iterator[docker.DockerClient]:
        """The engine's client; its errors become TargetException.

        One that hangs is left alone for a while, so that it does not hold up those who look again and again.
        """
        if time.monotonic() < self._silent_until:
            raise TargetException(
                f"{what}: the container engine did not answer just now.", code="EngineTimeout"
            )
        try:
            with engine.translated(what, TargetException):
                yield engine.connect()
        except RunEnvironmentException as error:
            self._rest(error.detail)
            raise TargetException(f"{what}: {error.message}", code=error.code, detail=error.detail) from error
        except TargetException as error:
            self._rest(error.code)
            raise

    def _rest(self, said: str) -> None:
        if "Timeout" in said:
            self._silent_until = time.monotonic() + _LATE_SECONDS

    def host(self) -> str:
        """Where the ports are that the engine publishes: on loopback, unless the engine is elsewhere."""
        try:
            url = urlsplit(engine.find().url)
        except RunEnvironmentException as error:
            raise TargetException(error.message, code=error.code) from error
        if url.scheme in ("unix", "npipe") or not url.hostname:
            return _LOOPBACK
        try:
            return socket.gethostbyname(url.hostname)
        except OSError as error:
            raise TargetException(
                f"The container engine's machine {url.hostname} is unknown: {error}. Check DOCKER_HOST, or "
                "the Docker context.",
                code="NoEngine",
            ) from error


class _Reading:
    def __init__(self, life: tuple[str, str, str], run: Run, at: float) -> None:
        self._life, self.run, self._at = life, run, at

    def holds_for(self, container: Container) -> bool:
        if self._life != container.life:
            return False
        if container.ended or container.state == "paused":
            return True
        if self.run.status is not None and self.run.status.phase == "ready":
            fresh = _MOST_READY_SECONDS
        else:
            fresh = min((time.time() - container.started) / 10, _MOST_STARTING_SECONDS)
        return time.monotonic() - self._at < fresh


def _inspect(client: docker.DockerClient, name: str) -> Container | None:
    try:
        return Container(client.api.inspect_container(name))
    except docker.errors.NotFound:
        return None


def _ran_out(client: docker.DockerClient, container: Container) -> bool:
    """Whether memory ran out, by the engine's word."""
    return bool(remembered(client, container.started, [container.id], ["oom"]))


@contextmanager
def _settled(*statuses: int) -> Iterator[None]:
    """What was to be done is done already, if the engine answers so."""
    with suppress(docker.errors.NotFound):
        try:
            yield
        except docker.errors.APIError as error:
            if error.status_code not in statuses:
                raise


def _no_gpu(said: str) -> TargetException:
    return TargetException(
        "The container engine cannot give the replica a GPU. Install the NVIDIA driver and the NVIDIA "
        "Container Toolkit on the engine's machine (`nvidia-ctk runtime configure`), restart the engine, and "
        "try `docker run --rm --gpus all IMAGE nvidia-smi`; or deploy without gpu_cores.",
        code="NoGpu",
        detail=said,
    )
