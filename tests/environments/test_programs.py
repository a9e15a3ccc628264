from __future__ import annotations

import threading

import pytest

from estiva.environments.programs import Cancelled, OnLine, run_both
from estiva.errors import EnvironmentException


def test_both_are_done_at_once() -> None:
    told: list[str] = []
    together = threading.Barrier(2, timeout=10)

    def work(on_line: OnLine, cancelled: Cancelled) -> None:
        together.wait()
        on_line("met")

    run_both(work, work, on_line=told.append, cancelled=lambda: False)
    assert told == ["met", "met"]


@pytest.mark.parametrize("failure", [EnvironmentException("no", code="VersionConflict"), OSError("no")])
@pytest.mark.parametrize("order", [1, -1])
def test_when_one_fails_the_other_is_cancelled(failure: Exception, order: int) -> None:
    def fail(on_line: OnLine, cancelled: Cancelled) -> None:
        raise failure

    def wait(on_line: OnLine, cancelled: Cancelled) -> None:
        while not cancelled():
            threading.Event().wait(0.01)
        raise EnvironmentException("cancelled", code="Cancelled")

    first, second = [fail, wait][::order]
    with pytest.raises(type(failure), match="no"):
        run_both(first, second, on_line=lambda _: None, cancelled=lambda: False)
