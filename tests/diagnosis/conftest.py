"""Evidence as it comes: broken scripts, run by the real scoring server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from estiva.control.scripts import definitions
from estiva.records import Evidence, StepName
from estiva_server import contract

Failing = Callable[[Mapping[str, str], tuple[str, ...]], Evidence]


@pytest.fixture
def failing(tmp_path: Path) -> Failing:
    """Runs a score.py that cannot be served, with its files, and returns what control would collect."""

    def run(files: Mapping[str, str], packages: tuple[str, ...]) -> Evidence:
        app, run_dir, log_dir = (tmp_path / name for name in ("app", "run", "logs"))
        for name, content in files.items():
            (app / name).parent.mkdir(parents=True, exist_ok=True)
            (app / name).write_text(content)
        command: list[str | Path] = [sys.executable, "-m", "estiva_server", "--entry-script", "score.py"]
        command += ["--app-root", app, "--host", "127.0.0.1", "--port", "0"]
        subprocess.run([*command, "--run-dir", run_dir, "--log-dir", log_dir], timeout=30, check=False)
        status = json.loads((run_dir / contract.STATUS_FILE).read_text())
        log = (log_dir / contract.LOG_FILE).read_text().replace(str(tmp_path), "/replica")
        return Evidence(
            step=StepName.INIT,
            error=f"The replica ended while it started: {status['reason']}",
            code="ReplicaExited",
            exit_code=status["exit_code"],
            signal=status["worker_signal"],
            log_tail=tuple(log.splitlines()),
            entry_script="score.py",
            definitions=definitions(files["score.py"].encode()),
            packages=packages,
            files=tuple(files),
        )

    return run
