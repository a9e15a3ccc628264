"""The soak's judge: a failure is explained by what was done to its worker at its time, nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.serving.clients import CLOSED, REFUSED, WRONG, Failure
from benchmarks.serving.trouble import GRACE_SECONDS, Trouble, unexplained

KILL = Trouble("SIGKILL", worker=7, began=100.0, ended=100.0)
LOOP = Trouble("loop", worker=7, began=100.0, ended=101.0, id="stuck")
LOCK = Trouble("lock", worker=7, began=100.0, ended=103.0, id="stuck")
LOST = Failure("1-1", CLOSED, sent=99.9, ended=100.1, worker=7)
REFUSAL = replace(LOST, said="503")


@pytest.mark.parametrize(
    ("failure", "trouble"),
    [
        (LOST, KILL),
        (replace(LOST, worker=None), KILL),
        (REFUSAL, LOOP),
        (replace(LOST, id="stuck", said="504"), LOOP),
        (replace(LOST, id="stuck"), LOOP),
        (replace(LOST, id="stuck"), LOCK),
    ],
)
def test_what_a_trouble_does_is_explained(failure: Failure, trouble: Trouble) -> None:
    assert unexplained([failure], [trouble]) == []


@pytest.mark.parametrize(
    ("failure", "trouble"),
    [
        (replace(LOST, worker=8), KILL),
        (replace(LOST, sent=98.0, ended=99.0), KILL),
        (replace(LOST, sent=100.1 + GRACE_SECONDS, ended=102.0), KILL),
        (REFUSAL, KILL),
        (replace(LOST, said="502"), KILL),
        (replace(LOST, said="504"), LOOP),
        (replace(LOST, id="stuck", said="504"), LOCK),
        (replace(LOST, said=REFUSED), LOCK),
        (replace(LOST, said=WRONG), LOCK),
    ],
)
def test_anything_else_is_not(failure: Failure, trouble: Trouble) -> None:
    assert unexplained([failure], [trouble]) == [failure]
