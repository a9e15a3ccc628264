"""What every target promises, tried on each of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from estiva import targets
from estiva.control.readiness import client
from estiva.errors import TargetException
from estiva.records import Replica, ReplicaPhase
from tests.targets.site import Site

BROKEN = """
def init():
    raise ValueError("the scaler is missing")

def run(data):
    return data
"""


def places(replicas: tuple[Replica, ...]) -> list[tuple[int, int]]:
    return [(replica.generation, replica.index) for replica in replicas]


def test_nothing_is_there_before_a_start(site: Site) -> None:
    target = site.target()
    assert target.observe(site.key).replicas == ()
    assert target.keys() == ()
    assert target.logs(site.key) == []
    target.stop(site.key, 1)
    target.retire(site.key, keep=[1])
    target.delete(site.key)


def test_apply_starts_replicas_that_become_ready(site: Site) -> None:
    site.target().apply(site.launch(replicas=2))
    assert places(site.target().observe(site.key).replicas) == [(1, 0), (1, 1)]
    ready = site.wait_for(ReplicaPhase.READY, replicas=2)
    assert len({replica.address for replica in ready}) == 2
    assert site.target().keys() == (site.key,)
    assert any("init ran" in line for line in site.target().logs(site.key, generation=1, replica=1))


def test_a_ready_replica_scores_at_its_address(site: Site) -> None:
    site.target().apply(site.launch())
    (replica,) = site.wait_for(ReplicaPhase.READY)
    with client(replica.address, timeout=10) as http:
        assert http.post("/score", content="seven").json() == "seven"


def test_apply_again_changes_nothing(site: Site) -> None:
    launch = site.launch()
    site.target().apply(launch)
    before = site.wait_for(ReplicaPhase.READY)
    site.target().apply(launch)
    assert site.target().observe(site.key).replicas == before
    assert sum("init ran" in line for line in site.target().logs(site.key)) == 1


def test_two_applies_at_once_start_each_replica_once(site: Site) -> None:
    launch = site.launch(replicas=2)
    barrier = threading.Barrier(4)

    def apply() -> None:
        target = site.target()
        barrier.wait(10)
        target.apply(launch)

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(apply) for _ in range(4)]:
            future.result()
    site.wait_for(ReplicaPhase.READY, replicas=2)
    assert sum("init ran" in line for line in site.target().logs(site.key)) == 2


def test_the_number_of_replicas_follows_the_launch(site: Site) -> None:
    site.target().apply(site.launch(replicas=1))
    first = site.wait_for(ReplicaPhase.READY)
    site.target().apply(site.launch(replicas=3))
    assert site.wait_for(ReplicaPhase.READY, replicas=3)[0] == first[0]
    site.target().apply(site.launch(replicas=1))
    assert site.target().observe(site.key).replicas == first


def test_a_replica_that_fails_to_start_stays_for_control_to_judge(site: Site) -> None:
    launch = site.launch(BROKEN)
    site.target().apply(launch)
    (dead,) = site.wait_for(ReplicaPhase.EXITED)
    assert dead.exit_code == 3
    assert dead.reason
    site.target().apply(launch)
    assert site.target().observe(site.key).replicas == (dead,)
    assert any("ValueError: the scaler is missing" in line for line in site.target().logs(site.key))


def test_a_new_generation_runs_beside_the_old_until_that_is_retired(site: Site) -> None:
    site.target().apply(site.launch(generation=1))
    site.wait_for(ReplicaPhase.READY)
    site.target().apply(site.launch(generation=2))
    site.wait_for(ReplicaPhase.READY, generation=2)
    assert places(site.target().observe(site.key).replicas) == [(1, 0), (2, 0)]
    site.target().retire(site.key, keep=[2])
    assert places(site.target().observe(site.key).replicas) == [(2, 0)]
    assert site.target().logs(site.key, generation=1) == []
    assert site.target().logs(site.key, generation=2) != []


def test_a_generation_that_was_begun_meanwhile_is_not_retired(site: Site) -> None:
    for generation in (1, 2, 3):
        site.target().apply(site.launch(generation=generation))
        site.wait_for(ReplicaPhase.READY, generation=generation)
    site.target().retire(site.key, keep=[2])
    assert places(site.target().observe(site.key).replicas) == [(2, 0), (3, 0)]


def test_a_failed_generation_goes_and_leaves_its_logs_and_the_older_one(site: Site) -> None:
    site.target().apply(site.launch(generation=1))
    before = site.wait_for(ReplicaPhase.READY)
    site.target().apply(site.launch(BROKEN, generation=2))
    site.wait_for(ReplicaPhase.EXITED, generation=2)
    site.target().stop(site.key, 2)
    assert site.target().observe(site.key).replicas == before
    assert any("the scaler is missing" in line for line in site.target().logs(site.key, generation=2))


def test_what_was_stopped_can_be_started_again(site: Site) -> None:
    site.target().apply(site.launch())
    site.wait_for(ReplicaPhase.READY)
    site.target().stop(site.key, 1)
    site.target().stop(site.key, 1)
    assert site.target().observe(site.key).replicas == ()
    site.target().apply(site.launch())
    (replica,) = site.wait_for(ReplicaPhase.READY)
    assert replica.restarts == 0


def test_delete_ends_everything_at_any_time_and_twice(site: Site) -> None:
    site.target().apply(site.launch(generation=1))
    site.wait_for(ReplicaPhase.READY)
    site.target().apply(site.launch(generation=2, replicas=2))
    for _ in range(2):
        site.target().delete(site.key)
        assert site.target().observe(site.key).replicas == ()
        assert site.target().keys() == ()
        assert site.target().logs(site.key) == []


def test_the_tail_of_a_log_is_its_last_lines(site: Site) -> None:
    site.target().apply(site.launch("for n in range(20): print('line', n)\n" + BROKEN))
    site.wait_for(ReplicaPhase.EXITED)
    whole = site.target().logs(site.key)
    assert site.target().logs(site.key, tail=5) == whole[-5:]
    assert site.target().logs(site.key, tail=0) == []


def test_follow_shows_what_is_said_until_the_service_is_gone(site: Site) -> None:
    target = site.target()
    target.apply(site.launch())
    site.wait_for(ReplicaPhase.READY)
    followed = target.follow(site.key, tail=100)
    assert any("init ran" in line for line in next(followed))
    target.apply(site.launch(generation=2))
    assert any("init ran" in line for line in _next_lines(followed, "init ran"))
    target.delete(site.key)
    assert sum(1 for _ in followed) < 10


def _next_lines(followed: Iterator[list[str]], text: str, batches: int = 20) -> list[str]:
    for _ in range(batches):
        lines = next(followed)
        if any(text in line for line in lines):
            return lines
    pytest.fail(f"{text!r} did not come")


def test_a_kind_that_does_not_exist_is_an_error_that_names_it() -> None:
    with pytest.raises(TargetException, match="no compute target of kind 'cloud'") as caught:
        targets.load("cloud")
    assert caught.value.code == "UnknownTarget"
