"""HAProxy's command socket: the master's, which also reaches each of its workers."""

from __future__ import annotations

import csv
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from estiva.errors import GatewayException
from estiva.records import Load

_SERVERS = "show stat -1 4 -1"
_POOLS_AND_SERVERS = "show stat -1 6 -1"
_BUFFER = 65_536
HOLD = ":hold"
"""Name of the server that stands for a replica while there is none; no member can have it."""
_LEAVING = "MAINT"


class NotRunning(GatewayException):
    """Nobody listens on the socket."""

    code = "GatewayNotRunning"


class Key(NamedTuple):
    pool: str
    member: str


class Server(NamedTuple):
    """A pool's member as a worker has it: whether it is sent new requests, and how many it has to answer."""

    serving: bool
    requests: int


class Workers(NamedTuple):
    """Process ids. An old worker no longer accepts connections but still answers on those it has."""

    master: int
    current: int | None
    old: tuple[int, ...]

    @property
    def all(self) -> tuple[int, ...]:
        return self.old if self.current is None else (self.current, *self.old)


class Runtime:
    """A client of one master socket. Each call is one connection with a time limit."""

    def __init__(self, path: Path, timeout: float = 2.0) -> None:
        self._path = path
        self._timeout = timeout

    def send(self, command: str, timeout: float | None = None) -> str:
        """The answer to one command, stripped.

        Raises NotRunning if nobody listens, and GatewayException, code "GatewayUnresponsive", if no
        complete answer came in time.
        """
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(timeout or self._timeout)
                client.connect(str(self._path))
                client.sendall(f"{command};quit\n".encode())
                return _read(client).decode(errors="replace").strip()
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning("The gateway is not running.", detail=str(error)) from error
        except OSError as error:
            raise GatewayException(
                "The gateway does not answer.", code="GatewayUnresponsive", detail=f"{command}: {error}"
            ) from error

    def ask(self, worker: int, command: str) -> str:
        """The answer of one worker, current or old."""
        return self.send(f"@!{worker} {command}")

    def workers(self) -> Workers:
        return parse_workers(self.send("show proc"))

    def description(self, worker: int) -> str:
        """What `description` in the configuration says that this worker runs."""
        return parse_information(self.ask(worker, "show info")).get("description", "")

    def servers(self, worker: int) -> Mapping[Key, Server]:
        return parse_servers(self.ask(worker, _SERVERS))

    def load(self, worker: int) -> tuple[Load, ...]:
        return parse_load(self.ask(worker, _POOLS_AND_SERVERS), worker)


def parse_workers(answer: str) -> Workers:
    """Reads `show proc`: the master, then the worker in service, then those that a reload replaced."""
    master, current, old = 0, None, []
    leaving = False
    for line in answer.splitlines():
        if line.startswith("#"):
            leaving = line.startswith("# old")
            continue
        pid, kind = [*line.split(), "", ""][:2]
        if kind == "master":
            master = int(pid)
        elif kind == "worker" and leaving:
            old.append(int(pid))
        elif kind == "worker":
            current = int(pid)
    if not master:
        raise GatewayException("The gateway answered something unknown.", detail=answer[:1000])
    return Workers(master, current, tuple(old))


def parse_information(answer: str) -> dict[str, str]:
    """Reads `show info`: one "Name: value" a line."""
    pairs = (line.partition(":") for line in answer.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def parse_servers(answer: str) -> dict[Key, Server]:
    """Reads `show stat` of servers. Raises GatewayException if it is something else."""
    return {
        Key(row["pxname"], row["svname"]): Server(
            serving=not row["status"].startswith(_LEAVING),
            requests=int(row["scur"]) + int(row["qcur"]),
        )
        for row in _rows(answer)
        if row["svname"] != HOLD
    }


def parse_load(answer: str, worker: int) -> tuple[Load, ...]:
    """Reads `show stat` of pools and servers, which come pool by pool, the pool itself last."""
    found = []
    busy = ready = 0
    for row in _rows(answer):
        if row["svname"] == "BACKEND":
            if ":" in row["pxname"]:
                found.append(_load(row, busy, ready, worker))
            busy = ready = 0
        elif row["svname"] != HOLD:
            busy += int(row["scur"])
            ready += not row["status"].startswith((_LEAVING, "DOWN"))
    return tuple(found)


def _load(pool: Mapping[str, str], busy: int, ready: int, worker: int) -> Load:
    """A request that is not at a replica waits: in a queue, or because there is none.

    Connections that failed ("econ") are those that no server took in time, was there for, or accepted; one
    that was accepted, and then answered late or not at all, is counted elsewhere.
    """
    route, _, version = pool["pxname"].rpartition(":")
    return Load(
        route=route,
        version=version,
        busy=busy,
        queued=max(0, int(pool["scur"]) - busy),
        ready=ready,
        requests=int(pool["stot"]),
        rejected=int(pool["econ"]),
        errors=int(pool["hrsp_5xx"]),
        process=worker,
    )


def _rows(answer: str) -> Iterator[dict[str, str]]:
    if not answer.startswith("# pxname,"):
        raise GatewayException("The gateway answered something unknown.", detail=answer[:1000])
    return iter(csv.DictReader(answer[2:].splitlines()))


def _read(client: socket.socket) -> bytes:
    parts = []
    while part := client.recv(_BUFFER):
        parts.append(part)
    return b"".join(parts)
