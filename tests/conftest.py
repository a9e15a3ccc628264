"""Fixtures that all tests share, the watch over what they leave running, and the list of what was skipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from estiva.home import HOME_VARIABLE, Home
from estiva.sdk import webservice

_SECONDS_TO_END = 3.0


def pytest_collection_finish() -> None:
    """Collecting tests/azureml imports its classes, which take the place of the SDK's where they are made."""
    for kind, cls in webservice._classes.items():
        webservice._classes[kind] = next(one for one in cls.__mro__ if one.__module__ == f"estiva.sdk.{kind}")


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A throw-away `ESTIVA_HOME`; its path is short, so that its sockets fit below it."""
    home = Home(tmp_path_factory.mktemp("h"))
    monkeypatch.setenv(HOME_VARIABLE, str(home.root))
    yield home.create()
    if home.root not in home.runtime.parents:
        shutil.rmtree(home.runtime)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fails the run if a process that works in its temporary folders outlives its test, and ends it."""
    folder = tmp_path_factory.getbasetemp()
    yield
    _, alive = psutil.wait_procs(processes_in(folder), timeout=_SECONDS_TO_END)
    left = [f"{process.pid}: {_command(process)}" for process in alive]
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=_SECONDS_TO_END)
    if left:
        pytest.fail("processes were left running:\n" + "\n".join(left), pytrace=False)


def processes_in(folder: Path) -> list[psutil.Process]:
    """Those whose command or environment names something below the folder, but not this one's ancestors."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    marker = f"{folder}{os.sep}"
    return [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if process.pid not in own and any(marker in text for text in _texts(process))
    ]


def _texts(process: psutil.Process) -> list[str]:
    # None where a process belongs to somebody else or is a zombie.
    command: list[str] | None = process.info["cmdline"]
    variables: dict[str, str] | None = process.info["environ"]
    return [*(command or []), *(variables or {}).values()]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return "(ended meanwhile)"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped: list[pytest.TestReport] = terminalreporter.getreports("skipped")
    terminalreporter.section(f"skipped by name: {len(skipped)}")
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.line(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}")
