from __future__ import annotations

from estiva.targets._replicas import pause


def test_the_first_restart_is_immediate_then_pauses_double_up_to_a_minute() -> None:
    assert [pause(starts) for starts in range(1, 10)] == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert pause(10_000) == 60
