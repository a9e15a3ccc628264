from __future__ import annotations

import signal

import pytest

from estiva.diagnosis import diagnose
from estiva.records import Evidence, StepName


@pytest.mark.parametrize(
    ("number", "code", "title"),
    [
        (signal.SIGKILL, "OutOfMemory", "The replica was killed: most likely it ran out of memory"),
        (signal.SIGSEGV, "Crashed", "The replica crashed (segmentation fault)"),
        (signal.SIGABRT, "Crashed", "The replica crashed (it aborted itself)"),
        (signal.SIGILL, "Crashed", "The replica crashed (illegal instruction)"),
        (signal.SIGTERM, "Killed", "The replica was ended by SIGTERM"),
        (63, "Killed", "The replica was ended by signal 63"),
    ],
)
def test_a_signal_is_named_in_a_process_and_in_a_container(number: int, code: str, title: str) -> None:
    for seen in (
        Evidence(step=StepName.INIT, signal=number, exit_code=3),
        Evidence(step=StepName.INIT, exit_code=128 + number),
    ):
        (found,) = diagnose(seen)
        assert (found.code, found.title) == (code, title)
        assert found.todo


def test_an_ordinary_exit_status_is_no_signal() -> None:
    (found,) = diagnose(Evidence(step=StepName.INIT, exit_code=128))
    assert found.what == "The process ended with exit status 128, and said nothing about why."
