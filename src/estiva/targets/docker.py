"""Replicas as containers of an engine, here or elsewhere: one scoring server each, as process 1."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar, Literal

from estiva.errors import TargetException
from estiva.records import Entrance, Launch, Observation, Replica, ServiceKey
from estiva.targets import _container, _container_logs
from estiva.targets._container import Container, Run
from estiva.targets._containers import Containers, PortTakenError
from estiva.targets._logs import merge
from estiva.targets._replicas import ReplicaTarget, pause
from estiva_server import contract

_CLAIM_SECONDS = 120.0
_FOLLOW_SECONDS = 0.5
_PORT_ATTEMPTS = 5

_claims: dict[str, threading.Lock] = {}
"""By the name of the container."""


class DockerTarget(ReplicaTarget):
    """Runs each replica in a container, whose labels say whose it is.

    `owner` is the mark of the control server, of which there is one: threads of other processes do not
    interfere. A stopped replica has `drain` seconds to answer what it has begun. What is stopped on purpose
    gets another name and stays for its log.
    """

    runs: ClassVar[Literal["venv", "image"]] = "image"

    def __init__(self, owner: str, drain: float = 35.0) -> None:
        self._containers = Containers(owner)
        self._drain = drain

    # --- what is there -------------------------------------------------------------------------------

    def observe(self, key: ServiceKey) -> Observation:
        host = self._containers.host()
        seen = [
            _container.replica_of(container, self._containers.run_of(container), host)
            for container in self._containers.all(key)
        ]
        return Observation(key=key, replicas=tuple(replica for replica in seen if replica))

    def keys(self) -> tuple[ServiceKey, ...]:
        return tuple(sorted(self._containers.keys(), key=str))

    def generations(self, key: ServiceKey) -> set[int]:
        return {container.generation for container in self._containers.all(key)}

    def enter(self, launch: Launch) -> Entrance:
        chosen = self._chosen(launch.key, launch.generation, 0)
        running = next((container for container in chosen if container.state == "running"), None)
        if running is None:
            raise TargetException(
                f"No container of {launch.key} runs in which a shell could be opened. `estiva diagnose` says "
                "why it ended; `docker run -it IMAGE sh` opens its image.",
                code="NotEntered",
            )
        return Entrance(program=("docker", "exec", "-it", "-w", contract.APP_ROOT, running.name))

    def logs(
        self, key: ServiceKey, *, generation: int | None = None, replica: int | None = None, tail: int = 5000
    ) -> list[str]:
        chosen = self._chosen(key, generation, replica)
        with self._containers.engine(f"The logs of {key} cannot be read") as client:
            return _container_logs.tail(client, chosen, tail)

    def follow(
        self, key: ServiceKey, *, generation: int | None = None, replica: int | None = None, tail: int = 10
    ) -> Iterator[list[str]]:
        readers: dict[str, _container_logs.Reader] = {}

        def read(containers: list[Container], count: int | None = None) -> list[str]:
            for container in containers:
                readers.setdefault(container.id, _container_logs.Reader(container))
            with self._containers.engine(f"The logs of {key} cannot be read") as client:
                return merge(reader.read(client, count) for reader in readers.values())

        chosen = self._chosen(key, generation, replica)
        yield read(chosen, tail)[-tail:]
        while self._containers.all(key):
            yield read(self._chosen(key, generation, replica))
            time.sleep(_FOLLOW_SECONDS)

    def _chosen(self, key: ServiceKey, generation: int | None, index: int | None) -> list[Container]:
        return [
            container
            for container in self._containers.all(key)
            if generation in (None, container.generation) and index in (None, container.index)
        ]

    # --- starting ------------------------------------------------------------------------------------

    def start(self, launch: Launch, index: int) -> None:
        name = self._name(launch.key, launch.generation, index)
        with self._claimed(name):
            found = self._containers.named(name)
            if found is not None and found.state == "paused":
                self._containers.unpause(found)
            elif found is not None and found.ended:
                self._start_again(found, launch, index)
            elif found is None or found.state == "created":
                self._start_new(name, launch, index)

    def _start_new(self, name: str, launch: Launch, index: int) -> None:
        """A port that is free here may still be taken: by another who was quicker, or on a remote engine."""
        for attempt in range(_PORT_ATTEMPTS):
            left = self._containers.named(name)  # half made: by an attempt, or by one that was killed
            if left is not None:
                self._containers.remove(left)
            try:
                self._start_at(self._address(launch), name, launch, index)
            except PortTakenError as error:
                if launch.address is not None or attempt == _PORT_ATTEMPTS - 1:
                    raise _port_taken(launch, error) from error
            else:
                return

    def _start_at(self, address: tuple[str, int], name: str, launch: Launch, index: int) -> None:
        container = self._containers.create(name, launch, index, address)
        try:
            self._containers.put(container, launch.mounts, _secrets(launch))
            self._containers.start(container)
        except (TargetException, PortTakenError):
            self._containers.remove(container)
            raise

    def _start_again(self, container: Container, launch: Launch, index: int) -> None:
        """The same container, so that its log goes on; what it was is written into it first."""
        run = self._containers.run_of(container)
        try:
            self._containers.put(container, (), {**_again(container, run), **_secrets(launch)})
            self._containers.start(container)
        except PortTakenError:
            self._containers.set_aside(container)
            self._start_new(container.name, launch, index)

    def _address(self, launch: Launch) -> tuple[str, int]:
        if launch.address is not None:
            host, _, port = launch.address.rpartition(":")
            return host, int(port)
        return self._containers.host(), _free_port()

    def comes_back(self, key: ServiceKey, replica: Replica) -> bool:
        container = self._containers.named(self._name(key, replica.generation, replica.index))
        if container is None or container.state == "paused":
            return container is not None
        run = self._containers.run_of(container)
        return run.was_ready and time.time() - container.started >= pause(run.history.starts)

    def _name(self, key: ServiceKey, generation: int, index: int) -> str:
        return _container.name_of(self._containers.owner, key, generation, index)

    @contextmanager
    def _claimed(self, name: str) -> Iterator[None]:
        """The sole right to start or end the replica, waited for."""
        claim = _claims.setdefault(name, threading.Lock())
        if not claim.acquire(timeout=_CLAIM_SECONDS):
            raise TargetException(
                f"The container {name} is still being started or ended by another thread.", code="TargetBusy"
            )
        try:
            yield
        finally:
            claim.release()

    # --- stopping ------------------------------------------------------------------------------------

    def stop_replica(self, key: ServiceKey, generation: int, index: int) -> None:
        with self._claimed(self._name(key, generation, index)):
            for container in self._chosen(key, generation, index):
                aside = container if container.set_aside else self._containers.set_aside(container)
                if aside is not None and not aside.ended:
                    self._containers.stop(aside, self._drain)

    def remove(self, key: ServiceKey, generation: int) -> None:
        for container in self._chosen(key, generation, None):
            self._containers.remove(container)


def _secrets(launch: Launch) -> dict[str, str]:
    return {_container.SECRETS_FILE: _container.secrets_of(launch)} if launch.secrets else {}


def _again(container: Container, run: Run) -> dict[str, str]:
    """The files that make a container one that is started again."""
    before = run.history
    capacity = (run.status.capacity if run.status else 0) or before.capacity
    cause = before.cause or _container.reason(container, run)
    history = replace(before, starts=before.starts + 1, cause=cause, capacity=capacity)
    return {
        f"{_container.RUN_FOLDER}/{_container.HISTORY_FILE}": _container.as_text(history),
        f"{_container.RUN_FOLDER}/{contract.STATUS_FILE}": _container.as_text(
            contract.Status(pid=0, started=0.0, phase="starting")
        ),
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _port_taken(launch: Launch, error: PortTakenError) -> TargetException:
    where = launch.address or "the engine's machine"
    return TargetException(
        f"No port for the container is free on {where}: {error}. End what has it, or choose another port.",
        code="PortInUse",
        detail=str(error),
    )
