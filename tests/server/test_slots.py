from __future__ import annotations

import threading

import pytest

from estiva_server.scoreboard import Scoreboard
from estiva_server.slots import Slots
from tests.server.serving import SECONDS


class Told:
    """A job that notes what happens to it."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def run(self) -> None:
        self.events.append("run")

    def refuse(self) -> None:
        self.events.append("refused")

    def expire(self, where: str) -> None:
        self.events.append(where)


class Blocking(Told):
    """A job that runs until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.began = threading.Event()
        self.release = threading.Event()

    def run(self) -> None:
        super().run()
        self.began.set()
        assert self.release.wait(SECONDS)

    def start(self, slots: Slots) -> threading.Thread:
        thread = threading.Thread(target=slots.submit, args=(self,))
        thread.start()
        assert self.began.wait(SECONDS)
        return thread

    def end(self, thread: threading.Thread) -> None:
        self.release.set()
        thread.join(SECONDS)


class Raising(Told):
    def run(self) -> None:
        raise OSError("the client is gone")


def test_a_free_slot_runs_the_job_at_once() -> None:
    job = Told()
    Slots(Scoreboard(1), 1).submit(job)
    assert job.events == ["run"]


def test_a_job_beyond_the_slots_waits_without_its_thread() -> None:
    board = Scoreboard(1)
    slots = Slots(board, 1)
    first, second = Blocking(), Told()
    thread = first.start(slots)
    slots.submit(second)
    assert second.events == []
    assert [one.job for one in slots.running()] == [first]
    assert board.oldest() == slots.running()[0].began
    first.end(thread)
    assert second.events == ["run"]
    assert slots.running() == []
    assert board.oldest() is None


def test_closing_refuses_who_waits_and_who_comes() -> None:
    slots = Slots(Scoreboard(1), 1)
    first, second, third = Blocking(), Told(), Told()
    thread = first.start(slots)
    slots.submit(second)
    slots.close()
    slots.submit(third)
    first.end(thread)
    assert (first.events, second.events, third.events) == (["run"], ["refused"], ["refused"])


def test_a_job_that_cannot_be_answered_takes_no_slot_with_it() -> None:
    slots = Slots(Scoreboard(1), 1)
    slots.submit(Raising())
    job = Told()
    slots.submit(job)
    assert job.events == ["run"]


@pytest.mark.parametrize(("brisk_seconds", "rests"), [(3600.0, 1), (0.0, 0)])
def test_the_thread_of_a_job_that_waits_rests_while_runs_are_brisk(
    monkeypatch: pytest.MonkeyPatch, brisk_seconds: float, rests: int
) -> None:
    rested: list[float] = []
    monkeypatch.setattr("estiva_server.slots.time.sleep", rested.append)
    monkeypatch.setattr("estiva_server.slots._BRISK_SECONDS", brisk_seconds)
    monkeypatch.setattr("estiva_server.slots._STALE_SECONDS", 3600.0)
    slots = Slots(Scoreboard(1), 1)
    slots.submit(Told())
    running = Blocking()
    thread = running.start(slots)
    slots.submit(Told())
    running.end(thread)
    assert len(rested) == rests
