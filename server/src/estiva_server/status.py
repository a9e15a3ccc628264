"""The run directory: the lock that says whether a supervisor lives, and the file that says how it is."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from estiva_server.contract import LOCK_FILE, STATUS_FILE, Status


class LockedError(Exception):
    """Another supervisor has the run directory; the message is for the user."""


def lock(run_dir: Path) -> int:
    """Take the run directory for the life of this process. Returns the descriptor; raises LockedError."""
    run_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 32, 0).decode() or "unknown"
        os.close(descriptor)
        raise LockedError(
            f"A server already runs in {run_dir} (process {owner}). Stop it, or choose another --run-dir."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def parse(text: str) -> Status:
    """A status from its JSON."""
    content = json.loads(text)
    return Status(**{**content, "worker_pids": tuple(content["worker_pids"])})


class StatusFile:
    """Keeps the status and, if there is a run directory, its file."""

    def __init__(self, run_dir: Path | None, status: Status) -> None:
        self.status = status
        self._path = run_dir / STATUS_FILE if run_dir else None

    def update(self, **changes: object) -> None:
        """Replace fields of the status. A full disk leaves the file as it was, and the server running."""
        before, self.status = self.status, replace(self.status, **changes)  # type: ignore[arg-type]
        if self._path is not None and self.status != before:
            partial = self._path.with_suffix(".new")
            with suppress(OSError):
                partial.write_text(json.dumps(asdict(self.status)))
                partial.replace(self._path)
