from __future__ import annotations

import sys
import threading

import pytest

from estiva.environments import Environments
from estiva.environments.offline import is_offline, offline
from estiva.errors import EnvironmentException
from estiva.records import EnvironmentSpecification


@pytest.mark.parametrize(
    ("value", "means"), [("1", True), ("yes", True), ("0", False), ("False", False), ("", False)]
)
def test_by_the_environment(value: str, means: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTIVA_OFFLINE", value)
    assert is_offline() is means


def test_for_a_piece_of_work_in_its_own_thread() -> None:
    elsewhere = []
    with offline(True):
        thread = threading.Thread(target=lambda: elsewhere.append(is_offline()))
        thread.start()
        thread.join(10)
        with offline(False):
            assert not is_offline()
        assert is_offline()
    assert not is_offline()
    assert elsewhere == [False]


def test_what_was_never_downloaded_is_refused_at_once(environments: Environments) -> None:
    spec = EnvironmentSpecification(name="e", pip_packages=("never-downloaded==1.0",))
    with offline(True), pytest.raises(EnvironmentException, match="never-downloaded is not among") as caught:
        environments.lock(spec, sys.executable, lambda _: None, lambda: False)
    assert caught.value.code == "Offline"
    assert "estiva env import" in caught.value.message
