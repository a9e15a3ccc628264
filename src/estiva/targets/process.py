"""Replicas as processes of this machine: one scoring server each, which outlives whoever started it."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import psutil

from estiva.errors import TargetException
from estiva.records import Entrance, Launch, Observation, Replica, ServiceKey
from estiva.targets import _command, _logs
from estiva.targets._folder import Labels, ReplicaFolder, folders, key_of, numbered, place, remove
from estiva.targets._replicas import ReplicaTarget, pause
from estiva_server import contract

_POLL_SECONDS = 0.02
_FOLLOW_POLL_SECONDS = 0.1
_FOLLOW_YIELD_SECONDS = 1.0
_KILL_SECONDS = 10.0
_FIRST_STATUS_SECONDS = 10.0


class ProcessTarget(ReplicaTarget):
    """Runs replicas in folders below `root`, with their sockets in `runtime` (whose path must be short).

    `drain` is how many seconds a stopped replica has to answer what it has begun, and a little more than the
    supervisor gives its workers, so that it is the supervisor that ends them.
    """

    runs: ClassVar[Literal["venv", "image"]] = "venv"

    def __init__(self, root: Path, runtime: Path, drain: float = 35.0) -> None:
        self._root = root.resolve()
        self._runtime = runtime.resolve()
        self._drain = drain

    # --- what is there -------------------------------------------------------------------------------

    def observe(self, key: ServiceKey) -> Observation:
        with _translated(f"The replicas of {key} cannot be observed"):
            seen = [folder.observe() for folder in folders(self._root, key)]
        return Observation(key=key, replicas=tuple(replica for replica in seen if replica))

    def keys(self) -> tuple[ServiceKey, ...]:
        return tuple(key_of(path) for path in sorted(self._root.glob("*/*")) if path.is_dir())

    def generations(self, key: ServiceKey) -> set[int]:
        return {int(path.name) for path in numbered(place(self._root, key))}

    def logs(
        self, key: ServiceKey, *, generation: int | None = None, replica: int | None = None, tail: int = 5000
    ) -> list[str]:
        with _translated(f"The logs of {key} cannot be read"):
            logs = [_logs.tail(_log(folder), tail) for folder in self._chosen(key, generation, replica)]
        return _logs.merge(logs)[-tail:] if tail > 0 else []

    def follow(
        self, key: ServiceKey, *, generation: int | None = None, replica: int | None = None, tail: int = 10
    ) -> Iterator[list[str]]:
        with ExitStack() as stack:
            followers: dict[Path, _logs.Follower] = {}

            def read(count: int | None = None) -> list[str]:
                for folder in self._chosen(key, generation, replica):
                    if folder.path not in followers:
                        followers[folder.path] = stack.enter_context(closing(_logs.Follower(folder.log)))
                return _logs.merge(follower.read(count) for follower in followers.values())

            yield read(tail)[-tail:]
            yielded = time.monotonic()
            while folders(self._root, key):
                lines = read()
                if lines or time.monotonic() - yielded > _FOLLOW_YIELD_SECONDS:
                    yield lines
                    yielded = time.monotonic()
                time.sleep(_FOLLOW_POLL_SECONDS)

    def _chosen(self, key: ServiceKey, generation: int | None, index: int | None) -> list[ReplicaFolder]:
        return [
            folder
            for folder in folders(self._root, key)
            if generation in (None, folder.generation) and index in (None, folder.index)
        ]

    # --- starting ------------------------------------------------------------------------------------

    def start(self, launch: Launch, index: int) -> None:
        folder = self._folder(launch.key, launch.generation, index)
        with _translated(f"Replica {index} of {launch.key} cannot be started"), folder.claimed():
            if not folder.alive():
                self._start(launch, folder)

    def _start(self, launch: Launch, folder: ReplicaFolder) -> None:
        """Each line may be the last that a killed control server reached."""
        labels = self._new_labels(folder, launch)
        folder.write_labels(labels)
        folder.forget_status()
        folder.prepare(launch.mounts)
        if labels.starts > 1:
            _end_leftovers(folder)
        _remove_socket(folder)
        with folder.life() as life:
            pid = _spawn(launch, folder, labels.address, life)
        folder.write_labels(replace(labels, pid=pid))

    def enter(self, launch: Launch) -> Entrance:
        folder = self._folder(launch.key, launch.generation, 0)
        with _translated(f"The app root of {launch.key} cannot be made"), folder.claimed():
            folder.prepare(launch.mounts)
        variables = _command.variables(launch, folder.app, os.environ)
        return Entrance(folder=str(folder.app), variables=variables)

    def comes_back(self, key: ServiceKey, replica: Replica) -> bool:
        folder = self._folder(key, replica.generation, replica.index)
        labels = folder.labels()
        if labels is None or not folder.was_ready():
            return False
        return time.time() - labels.started >= pause(labels.starts)

    def _folder(self, key: ServiceKey, generation: int, index: int) -> ReplicaFolder:
        return ReplicaFolder(place(self._root, key) / str(generation) / str(index))

    def _new_labels(self, folder: ReplicaFolder, launch: Launch) -> Labels:
        last = folder.labels()
        starts = last.starts + (last.pid is not None) if last else 1
        address = launch.address or f"unix:{self._socket(folder)}"
        return Labels(address=address, starts=starts, started=time.time())

    def _socket(self, folder: ReplicaFolder) -> Path:
        """A short path, the same whenever it is asked for, and of no other replica."""
        return self._runtime / f"r-{hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:10]}.sock"

    # --- stopping ------------------------------------------------------------------------------------

    def stop_replica(self, key: ServiceKey, generation: int, index: int) -> None:
        with _translated(f"Replica {index} of {key} cannot be stopped"):
            self._end(self._folder(key, generation, index))

    def remove(self, key: ServiceKey, generation: int) -> None:
        with _translated(f"Generation {generation} of {key} cannot be removed"):
            for folder in self._chosen(key, generation, None):
                self._end(folder)
            remove(place(self._root, key) / str(generation))

    def delete(self, key: ServiceKey) -> None:
        super().delete(key)
        with _translated(f"The folder of {key} cannot be removed"):
            remove(place(self._root, key))

    def _end(self, folder: ReplicaFolder) -> None:
        if folder.path.exists():
            with folder.claimed():
                self._end_process(folder)
                _remove_socket(folder)
                folder.forget()

    def _end_process(self, folder: ReplicaFolder) -> None:
        """Asks the process to drain, kills its group if it does not, and at last what it has left running."""
        # Its number is unknown for a moment if its starter was killed just after the start.
        _wait(lambda: folder.pid() is not None or not folder.alive(), _FIRST_STATUS_SECONDS)
        pid = folder.pid()
        if pid is not None and folder.alive():
            _send(os.kill, pid, signal.SIGTERM)
            if not _wait(lambda: not folder.alive(), self._drain):
                _send(os.killpg, pid, signal.SIGKILL)
        _end_leftovers(folder)
        if not _wait(lambda: not folder.alive(), _KILL_SECONDS):
            raise TargetException(
                f"The replica in {folder.path} cannot be ended. End its process by hand, then try again.",
                code="ReplicaNotEnding",
                detail=f"process {pid}",
            )


def _spawn(launch: Launch, folder: ReplicaFolder, address: str, life: int) -> int:
    with folder.console.open("wb") as console:
        process = subprocess.Popen(
            _command.command(launch, folder.app, folder.run, folder.logs, address),
            # Not the app root, where the server goes by itself: `-m` puts this folder first on the module
            # path, and a user's json.py must not take the place of Python's own.
            cwd=folder.run,
            env=_command.variables(launch, folder.app, os.environ),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(life,),
        )
    # While we live we are its parent and must take its exit status; after us, init does.
    threading.Thread(target=process.wait, name=f"reap {process.pid}", daemon=True).start()
    return process.pid


def _log(folder: ReplicaFolder) -> Path:
    return folder.log if folder.log.exists() else folder.console


def _send(kill: Callable[[int, int], None], pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        kill(pid, number)


def _end_leftovers(folder: ReplicaFolder) -> None:
    """Kills what the process has left behind: orphaned workers, programs that the script started.

    They are known by the app root in their environment. Their process group would not do: its number may
    belong to strangers by now, and a program may have left it.
    """
    app_root = str(folder.app)
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(contract.APP_ROOT_VARIABLE) == app_root:
                process.kill()


def _remove_socket(folder: ReplicaFolder) -> None:
    labels = folder.labels()
    if labels is not None and labels.address.startswith("unix:"):
        Path(labels.address.removeprefix("unix:")).unlink(missing_ok=True)


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """The boundary to the operating system."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        todo = " Free some space, or move ESTIVA_HOME to a larger disk." if full else ""
        raise TargetException(
            f"{what}: {error}.{todo}", code="DiskFull" if full else "TargetFailed"
        ) from error
