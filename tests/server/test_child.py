from __future__ import annotations

import os
import signal
from pathlib import Path

from estiva_server.child import die_with
from tests.server.serving import gone


def test_without_the_kernels_help_a_lifeline_takes_the_worker_along(tmp_path: Path) -> None:
    """As on macOS: the supervisor is a process between this one and the worker."""
    here, there = os.pipe()
    supervisor = os.fork()
    if supervisor == 0:
        lifeline, held = os.pipe()
        worker = os.fork()
        if worker == 0:
            os.close(held)
            die_with(os.getppid(), lifeline, platform="darwin")
            os.write(there, str(os.getpid()).encode())
            signal.pause()
        os.close(lifeline)
        signal.pause()
    pid = int(os.read(here, 32))
    os.kill(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)
    assert gone(pid)
    os.close(here)
    os.close(there)
