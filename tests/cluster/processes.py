"""Programs in the background: started in a network namespace, found again by their id, ended."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.layout import DATA, RUN

_END_SECONDS = 10.0


class ClusterError(Exception):
    """The cluster did not come up; says what failed, and where its log is."""


def start(name: str, command: list[str], *, namespace: str, variables: dict[str, str] | None = None) -> None:
    """Starts the program, unless it runs already. Its output goes to `log(name)`."""
    if running(name) is not None:
        return
    # `ip netns exec` would hide /sys/fs/cgroup behind a fresh /sys.
    inside = ["nsenter", f"--net=/run/netns/{namespace}", *command]
    with log(name).open("ab") as output:
        process = subprocess.Popen(
            inside,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(variables or {})},
            start_new_session=True,
        )
    _pid_file(name).write_text(f"{process.pid} {_started(process.pid)}")


def running(name: str) -> int | None:
    """The id of the program that `start` started, if it lives: ids are given again, start times are not."""
    try:
        pid, started = _pid_file(name).read_text().split()
    except FileNotFoundError:
        return None
    return int(pid) if _started(int(pid)) == started else None


def stop(name: str) -> None:
    pid = running(name)
    if pid is not None:
        end(pid)
    _pid_file(name).unlink(missing_ok=True)


def end(pid: int) -> None:
    """Asks the process to end, and kills it if it does not in time."""
    if not _send(pid, signal.SIGTERM):
        kill(pid)


def kill(pid: int) -> None:
    """Ends the process now: what runs in a pod may take its time, or never heed a signal as PID 1."""
    _send(pid, signal.SIGKILL)


def _send(pid: int, number: signal.Signals) -> bool:
    """Whether the process is gone in time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(handle, number)
        return bool(select.select([handle], [], [], _END_SECONDS)[0])
    except ProcessLookupError:
        return True
    finally:
        os.close(handle)


def wait(what: str, done: Callable[[], bool], *, seconds: float, log_of: str) -> None:
    """Waits until `done`; raises ClusterError with the end of the log if that takes too long."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            lines = log(log_of).read_text(errors="replace").splitlines()[-15:]
            raise ClusterError("\n".join([f"{what} not within {seconds:g} s; {log(log_of)} ends:", *lines]))
        time.sleep(0.1)


def log(name: str) -> Path:
    DATA.mkdir(parents=True, exist_ok=True)
    return DATA / f"{name}.log"


def _pid_file(name: str) -> Path:
    return RUN / f"{name}.pid"


def _started(pid: int) -> str | None:
    try:
        # After the command's name, which may have spaces: field 22 of the line is the start time.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None
