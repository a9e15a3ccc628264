"""The loader: imports the script and calls init() once, then forks the workers, which share the memory.

It stands between the supervisor, for which it is the one worker, and its own workers, which it supervises as
the supervisor does. A reload is a new loader.

What a fork does not take along is not in the workers: threads that init() started, and what libraries made
for them. A script whose init() starts some, or opens a device, should not be preloaded.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from estiva_server import contract, worker
from estiva_server.child import FAILED, READY, REPORT, Tell, open_descriptors
from estiva_server.log import write_to_stdout
from estiva_server.scoreboard import Scoreboard
from estiva_server.script import Script
from estiva_server.serve import Crew, Supervisor
from estiva_server.settings import Settings
from estiva_server.status import StatusFile


def work(settings: Settings, descriptor: int, boards: Sequence[Scoreboard], tell: Tell) -> int:
    """Load the script, keep workers serving it until SIGTERM; returns the exit status."""
    began = time.monotonic()
    script = worker.start(settings, tell)
    if script is None:
        return contract.EXIT_INIT_FAILED
    # Only what is no garbage is frozen, and so stays shared when the workers' collectors run.
    gc.collect()
    gc.freeze()
    seconds = time.monotonic() - began
    print(f"estiva-server: preloaded in {seconds:.2f} s; {settings.workers} workers are forked from here")
    crew = Crew(
        partial(_serve, script, seconds),
        settings.workers,
        boards,
        # Files and sockets that init() opened are the workers', too.
        keep=frozenset(open_descriptors()),
        inner=True,
    )
    listener = socket.socket(fileno=descriptor)
    return Supervisor(settings, listener, _write_unstamped, Reports(tell), crew).run()


class Reports(StatusFile):
    """Keeps the loader's status and tells the supervisor of each change."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(None, contract.Status(os.getpid(), time.time(), "starting"))
        self._tell = tell

    def update(self, **changes: object) -> None:
        before = self.status
        super().update(**changes)
        if self.status == before:
            return
        self._tell(f"{REPORT} {json.dumps(asdict(self.status))}")
        if self.status.phase == "ready" != before.phase:
            self._tell(f"{READY} {self.status.capacity}")
        if self.status.phase == "exited" and self.status.exit_code:
            self._tell(f"{FAILED} {self.status.reason}")


def _write_unstamped(lines: bytes) -> None:
    """The supervisor puts the time before what it hears."""
    write_to_stdout(b"".join(line.partition(b" ")[2] for line in lines.splitlines(keepends=True)))


def _serve(
    script: Script,
    init_seconds: float,
    settings: Settings,
    descriptor: int,
    boards: Sequence[Scoreboard],
    tell: Tell,
) -> int:
    return worker.serve(script, init_seconds, settings, descriptor, boards[0], tell)
