"""One replica's folder: everything that is known of it, on disk.

<workspace>/<service>/<generation>/<index>/      (a version of an endpoint: <endpoint>@<version>)
    claim           locked by whoever is starting or ending the replica
    alive           locked by the replica's process from the moment it exists until it ends
    replica.json    the labels: whose replica this is, where it listens, how often it was started
    ready           there once the replica was seen ready: how many requests it takes at a time
    app/            the app root; there only when it is whole
    run/            the supervisor's status
    logs/           its log, rotated
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

import psutil

from estiva.records import Mount, Replica, ReplicaPhase, ServiceKey
from estiva_server import contract

_CLAIM_SECONDS = 120.0
_POLL_SECONDS = 0.01

_Content = TypeVar("_Content", "Labels", contract.Status)


@dataclass(frozen=True)
class Labels:
    """Written before the process starts, and again when it has."""

    address: str
    starts: int = 1
    """Processes started in this folder, the one included that is to come or has come."""
    started: float = 0.0
    """When the last one was: seconds since the epoch."""
    pid: int | None = None
    """The last process, leader of its session; None until it is known to have started, and after a stop."""


@dataclass(frozen=True)
class ReplicaFolder:
    path: Path

    @property
    def app(self) -> Path:
        return self.path / "app"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def log(self) -> Path:
        return self.logs / contract.LOG_FILE

    @property
    def console(self) -> Path:
        """What the process printed before it had a log of its own: the last words of a failed start."""
        return self.logs / "console.log"

    @property
    def generation(self) -> int:
        return int(self.path.parent.name)

    @property
    def index(self) -> int:
        return int(self.path.name)

    # --- whether the process lives -------------------------------------------------------------------

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """The sole right to start or end the process, waited for. Raises TimeoutError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path / "claim", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + _CLAIM_SECONDS
            while not _lock(descriptor, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{self.path} is being started or ended by another process")
                time.sleep(_POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def life(self) -> Iterator[int]:
        """A descriptor for the process to inherit: with it goes the lock on `alive`, for its whole life.

        So there is no moment, and no crash of the starter, between "being started" and "alive".
        """
        partial = self.path / "alive.new"
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            partial.replace(self._alive)  # a new file: whoever may still hold the old one does not matter
            yield descriptor
        finally:
            os.close(descriptor)  # never LOCK_UN: that would take the lock from the child as well

    def alive(self) -> bool:
        """Whether the process exists, or is just being started.

        Its children may have inherited the lock and outlive it; then the process table knows that it is gone.
        """
        try:
            descriptor = os.open(self._alive, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            if _lock(descriptor, fcntl.LOCK_SH):
                return False
        finally:
            os.close(descriptor)
        pid = self.pid()
        return pid is None or _exists(pid)

    def pid(self) -> int | None:
        """The process that was started last, by its own word or its starter's; None if unknown yet."""
        status, labels = self.status(), self.labels()
        return status.pid if status else labels.pid if labels else None

    @property
    def _alive(self) -> Path:
        return self.path / "alive"

    # --- what is known of it -------------------------------------------------------------------------

    def labels(self) -> Labels | None:
        return _read(self.path / "replica.json", Labels)

    def write_labels(self, labels: Labels) -> None:
        partial = self.path / "replica.json.new"
        partial.write_text(json.dumps(asdict(labels)))
        partial.replace(self.path / "replica.json")

    def status(self) -> contract.Status | None:
        return _read(self.run / contract.STATUS_FILE, contract.Status)

    def was_ready(self) -> bool:
        return self._ready.exists()

    @property
    def _ready(self) -> Path:
        return self.path / "ready"

    def observe(self) -> Replica | None:
        """The replica, or None where nothing was started, or what was has been stopped."""
        alive = self.alive()
        labels, status = self.labels(), self.status()
        if labels is None or not (alive or status or labels.pid):
            return None
        if status is not None and status.phase == "ready" and not self.was_ready():
            self._mark_ready(status.capacity)
        replica = Replica(
            generation=self.generation,
            index=self.index,
            phase=ReplicaPhase(status.phase) if status else ReplicaPhase.STARTING,
            address=labels.address,
            restarts=labels.starts - 1 + (status.restarts if status else 0),
            capacity=(status.capacity if status else 0) or self._last_capacity(),
        )
        return replica if alive and replica.phase is not ReplicaPhase.EXITED else self._ended(replica, status)

    def _mark_ready(self, capacity: int) -> None:
        partial = self.path / "ready.new"
        with suppress(FileNotFoundError):  # the folder is being removed, or another thread was quicker
            partial.write_text(str(capacity))
            partial.replace(self._ready)

    def _last_capacity(self) -> int:
        """A replica that is started again takes as many requests as before."""
        with suppress(FileNotFoundError):
            return int(self._ready.read_text() or 0)
        return 0

    def _ended(self, replica: Replica, status: contract.Status | None) -> Replica:
        update: dict[str, object] = {"phase": ReplicaPhase.EXITED, "reason": self._unexplained(status)}
        if status is not None and status.phase == "exited":
            update |= {"exit_code": status.exit_code, "signal": status.worker_signal, "reason": status.reason}
        return replica.model_copy(update=update)

    def _unexplained(self, status: contract.Status | None) -> str:
        if status is not None:
            return f"The replica's supervisor was killed while it was {status.phase}."
        printed = self.console.read_text(errors="replace").strip() if self.console.exists() else ""
        if printed:
            return f"The scoring server did not start: {printed.splitlines()[-1]}"
        return "The replica's supervisor was killed before it said anything."

    # --- its content ---------------------------------------------------------------------------------

    def prepare(self, mounts: Sequence[Mount]) -> None:
        """Puts the app root together; the folder appears only when it is whole. Idempotent."""
        for folder in (self.run, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)
        if self.app.exists():
            return
        partial = self.path / "app.new"
        remove(partial)
        partial.mkdir(mode=0o700)
        for mount in sorted(mounts, key=lambda mount: mount.target != "."):
            _mount(mount, partial / mount.target)
        partial.rename(self.app)

    def forget(self) -> None:
        """Makes a stopped replica one that was never started; its logs stay."""
        labels = self.labels()
        if labels is not None:
            self.write_labels(replace(labels, pid=None, starts=1))
        self.forget_status()
        self._ready.unlink(missing_ok=True)
        remove(self.app)

    def forget_status(self) -> None:
        """What the last process said is no longer true."""
        (self.run / contract.STATUS_FILE).unlink(missing_ok=True)


_VERSION_SIGN = "@"  # no name of a service or a version has one


def place(root: Path, key: ServiceKey) -> Path:
    """The folder of a service, or of one version of an endpoint."""
    name = key.service if key.version is None else f"{key.service}{_VERSION_SIGN}{key.version}"
    return root / key.workspace / name


def key_of(place: Path) -> ServiceKey:
    """The service, or the version of an endpoint, that the folder belongs to."""
    service, _, version = place.name.partition(_VERSION_SIGN)
    return ServiceKey(workspace=place.parent.name, service=service, version=version or None)


def folders(root: Path, key: ServiceKey) -> list[ReplicaFolder]:
    """The replica folders of a service, in order of generation and index."""
    generations = numbered(place(root, key))
    return [ReplicaFolder(path) for generation in generations for path in numbered(generation)]


def numbered(folder: Path) -> list[Path]:
    """The entries that are named by a number, in its order; none if the folder is gone, or just going."""
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return []
    return sorted((entry for entry in entries if entry.name.isdecimal()), key=lambda entry: int(entry.name))


def remove(folder: Path) -> None:
    """Removes a folder, even if the user's code took away the right to; absence is success."""
    if not folder.exists():
        return
    folder.chmod(0o700)
    for parent, names, _ in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _exists(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _read(file: Path, kind: type[_Content]) -> _Content | None:
    """What the file says, without what this release does not know; None if there is none, or half of one.

    Files are replaced whole, but a machine that loses power may keep an empty one.
    """
    try:
        content = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in content.items() if name in known})


def _mount(mount: Mount, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if not mount.writable:
        place.symlink_to(mount.source, target_is_directory=True)
        return
    _copy(mount.source, place)


def _copy(source: str, place: Path) -> None:
    """Content, links, and the right to execute; the source's read-only mode is not the copy's."""
    place.mkdir(exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            target = place / entry.name
            if entry.is_symlink():
                target.symlink_to(Path(entry.path).readlink())
            elif entry.is_dir():
                _copy(entry.path, target)
            else:
                shutil.copyfile(entry.path, target)
                target.chmod(0o700 if entry.stat().st_mode & stat.S_IXUSR else 0o600)
