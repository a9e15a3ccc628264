from __future__ import annotations

from estiva.gateway.changes import Changes, plan, succeeded
from estiva.gateway.runtime import Key, Server

OLD, NEW = Key("sum", "g1-0"), Key("sum", "g2-0")
ADDRESS = "unix@/r/1.sock maxconn 1"
SERVING, LEAVING, IDLE = Server(True, 0), Server(False, 2), Server(False, 0)


def test_nothing_to_do() -> None:
    assert plan({OLD: ADDRESS}, {OLD: ADDRESS}, {OLD: SERVING}) == Changes()


def test_additions_come_before_removals() -> None:
    changes = plan({NEW: ADDRESS}, {OLD: ADDRESS}, {OLD: SERVING})
    assert changes == Changes(
        ("add server sum/g2-0 unix@/r/1.sock maxconn 1", "enable health sum/g2-0", "enable server sum/g2-0",
         "set server sum/g1-0 state maint")
    )  # fmt: skip


def test_what_leaves_is_deleted_once_it_is_idle() -> None:
    assert plan({}, {}, {OLD: LEAVING}) == Changes()
    assert plan({}, {}, {OLD: IDLE}) == Changes(cleanup=("del server sum/g1-0",))


def test_a_name_that_may_mean_another_address_takes_a_reload() -> None:
    assert plan({OLD: ADDRESS}, {OLD: "unix@/r/2.sock maxconn 1"}, {OLD: SERVING}) is None
    assert plan({OLD: ADDRESS}, {}, {OLD: SERVING}) is None
    assert plan({OLD: ADDRESS}, {OLD: ADDRESS}, {OLD: LEAVING}) is None


def test_a_name_that_is_idle_is_used_again() -> None:
    assert plan({OLD: ADDRESS}, {}, {OLD: IDLE}) == Changes(
        ("del server sum/g1-0", "add server sum/g1-0 unix@/r/1.sock maxconn 1", "enable health sum/g1-0",
         "enable server sum/g1-0")
    )  # fmt: skip


def test_an_answer_that_is_not_expected_is_a_failure() -> None:
    assert succeeded("add server sum/g1-0 x", "New server registered.")
    assert not succeeded("add server sum/g1-0 x", "")
    assert succeeded("del server sum/g1-0", "Server deleted.")
    assert not succeeded("del server sum/g1-0", "No such server.")
    assert succeeded("enable server sum/g1-0", "")
    assert not succeeded("enable server sum/g1-0", "No such server.")
