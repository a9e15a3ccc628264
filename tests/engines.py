"""An engine of the test's own, on a small file system, which may be ended and filled."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

_SECONDS = 60.0


class OwnEngine:
    """dockerd with data, socket and bridge of its own. It changes nothing of the machine's network rules."""

    def __init__(self, folder: Path, run: Path, bridge: str) -> None:
        self.url = f"unix://{folder}/docker.sock"
        self.data = folder / "data"
        self._command = [
            *("dockerd", "--host", self.url, "--data-root", str(self.data), "--exec-root", str(run)),
            *("--pidfile", str(run / "docker.pid"), "--bridge", bridge),
            *("--iptables=false", "--ip-masq=false", "--storage-driver", "overlay2"),
        ]
        self._log = folder / "dockerd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"dockerd does not run here: {self._log.read_text()[-500:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """With all that runs in it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_SECONDS)
            self._process = None

    def _answers(self) -> bool:
        asked = ["docker", "--host", self.url, "version"]
        return subprocess.run(asked, check=False, capture_output=True, timeout=_SECONDS).returncode == 0

    def load(self, *images: str) -> None:
        """Copies images from the engine that tests use."""
        with tempfile.TemporaryFile() as tar:
            subprocess.run(["docker", "save", *images], check=True, stdout=tar, timeout=_SECONDS)
            tar.seek(0)
            load = ["docker", "--host", self.url, "load", "--quiet"]
            subprocess.run(load, check=True, stdin=tar, stdout=subprocess.DEVNULL, timeout=_SECONDS)

    def fill(self, leave: int) -> Path:
        """A file that takes all but so many bytes of where its data are."""
        found = os.statvfs(self.data)
        filler = self.data / "filler"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, found.f_bavail * found.f_bsize - leave)
        return filler


@contextmanager
def own_engine(folder: Path, size: str) -> Iterator[OwnEngine]:
    """Started; skips the test where that needs what this machine does not have."""
    if os.getuid() != 0 or not (shutil.which("dockerd") and shutil.which("ip") and shutil.which("mount")):
        pytest.skip("an engine of its own needs root, dockerd, ip and mount")
    number = os.getpid() % 250
    bridge = f"estiva{os.getpid()}"
    with ExitStack() as stack:
        # With its exec root in a deep folder a path of containerd would be too long for a socket.
        run = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/run", prefix="estiva-")))
        _do(
            stack,
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
            ["umount", "--lazy", str(folder)],
        )
        _do(stack, ["ip", "link", "add", bridge, "type", "bridge"], ["ip", "link", "delete", bridge])
        _do(stack, ["ip", "address", "add", f"10.213.{number}.1/24", "dev", bridge])
        _do(stack, ["ip", "link", "set", bridge, "up"])
        engine = OwnEngine(folder, run, bridge)
        stack.callback(engine.stop)
        engine.start()
        yield engine


def _do(stack: ExitStack, command: list[str], undo: list[str] | None = None) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode:
        pytest.skip(f"{' '.join(command)}: {done.stderr.strip()}")
    if undo:
        stack.callback(subprocess.run, undo, check=True, timeout=_SECONDS)
