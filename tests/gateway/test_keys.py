from __future__ import annotations

from pathlib import Path

import pytest

from estiva.errors import GatewayException
from estiva.gateway.keys import Keys, parse
from estiva.gateway.runtime import Runtime, Workers

CURRENT, REPLACED = 11, 12


class SilentReplacedWorker(Runtime):
    """Two workers, of which the one that a reload replaced gives no answer."""

    def __init__(self, ends: bool) -> None:
        super().__init__(Path("nowhere"))
        self._ends = ends
        self._asked = False
        self.told: list[str] = []

    def workers(self) -> Workers:
        return Workers(10, CURRENT, () if self._ends and self._asked else (REPLACED,))

    def ask(self, worker: int, command: str) -> str:
        if worker == REPLACED:
            self._asked = True
            raise GatewayException("The gateway does not answer.")
        self.told.append(command)
        return "0x1 service:sum:OLD" if command.startswith("show") else ""


def test_a_replaced_worker_may_end_in_the_middle_of_its_answer(tmp_path: Path) -> None:
    runtime = SilentReplacedWorker(ends=True)
    Keys(tmp_path, runtime).tell({"service:sum:NEW"})
    assert runtime.told[1:] == ["add acl keys.acl service:sum:NEW", "del acl keys.acl service:sum:OLD"]


def test_one_that_stays_might_go_on_accepting_a_withdrawn_key(tmp_path: Path) -> None:
    with pytest.raises(GatewayException, match="does not answer"):
        Keys(tmp_path, SilentReplacedWorker(ends=False)).tell(set())


def test_what_a_worker_says_of_its_keys() -> None:
    assert parse("0x55 service:sum:AB\n0x56 service:sum:CD") == {"service:sum:AB", "service:sum:CD"}
    assert parse("") == set()
    assert parse("Unknown ACL identifier. Please use #<id> or <file>.") is None
