from __future__ import annotations

import threading

from estiva.control.changes import Changes

SECONDS = 10.0
"""The bound of every wait."""


def test_a_change_that_was_missed_is_seen_at_once() -> None:
    changes = Changes()
    seen = changes.count
    changes.announce()
    assert changes.wait(seen, SECONDS) == seen + 1


def test_without_a_change_the_wait_ends_in_time() -> None:
    changes = Changes()
    assert changes.wait(changes.count, 0.01) == changes.count


def test_every_thread_that_waits_wakes_up() -> None:
    changes = Changes()
    seen = changes.count
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(changes.wait(seen, SECONDS))) for _ in range(4)]
    for thread in threads:
        thread.start()
    changes.announce()
    for thread in threads:
        thread.join(SECONDS)
    assert counts == [seen + 1] * 4
