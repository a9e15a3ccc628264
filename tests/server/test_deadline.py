from __future__ import annotations

import threading
import time

from estiva_server.deadline import Watchdog
from estiva_server.scoreboard import Scoreboard
from estiva_server.slots import Slots
from tests.server.serving import SECONDS
from tests.server.test_slots import Blocking, Told


class Expiring(Blocking):
    """A job that runs beyond its deadline, and ends when it is told so."""

    def __init__(self, order: list[str]) -> None:
        super().__init__()
        self._order = order

    def expire(self, where: str) -> None:
        self.expired = time.monotonic()
        self.where = where
        self._order.append("answered")
        self.release.set()


def test_a_job_beyond_its_deadline_is_told_once_and_the_slots_are_closed_first() -> None:
    order: list[str] = []
    slots = Slots(Scoreboard(1), 1)
    Watchdog(slots, 0.2, lambda: order.append("stopped")).start()
    job = Expiring(order)
    thread = job.start(slots)
    began = slots.running()[0].began
    assert job.release.wait(SECONDS)
    thread.join(SECONDS)
    assert order == ["stopped", "answered"]
    assert 0.2 <= job.expired - began < 0.2 + 1.0
    assert "in run\n    assert self.release.wait(SECONDS)" in job.where
    late = Told()
    slots.submit(late)
    assert late.events == ["refused"]


def test_each_of_several_is_told_at_its_own_time() -> None:
    order: list[str] = []
    slots = Slots(Scoreboard(2), 2)
    Watchdog(slots, 0.2, lambda: order.append("stopped")).start()
    jobs = [Expiring(order), Expiring(order)]
    threads: list[threading.Thread] = [job.start(slots) for job in jobs]
    for job, thread in zip(jobs, threads, strict=True):
        assert job.release.wait(SECONDS)
        thread.join(SECONDS)
    assert order == ["stopped", "answered", "answered"]


def test_a_quick_job_is_left_alone() -> None:
    order: list[str] = []
    slots = Slots(Scoreboard(1), 1)
    Watchdog(slots, 0.05, lambda: order.append("stopped")).start()
    quick = Told()
    slots.submit(quick)
    # The watchdog has looked since when it ends this one.
    slow = Expiring(order)
    thread = slow.start(slots)
    assert slow.release.wait(SECONDS)
    thread.join(SECONDS)
    assert quick.events == ["run"]
