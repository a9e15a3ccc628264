"""What the loop does about a service, for every state of affairs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.control.reconcile import Action, next_action
from estiva.records import (
    GenerationState,
    Observation,
    Replica,
    ReplicaPhase,
    Service,
    ServiceState,
)
from tests.registry.samples import KEY, service

PENDING, HEALTHY, FAILED = GenerationState.PENDING, GenerationState.HEALTHY, GenerationState.FAILED
STARTING, READY = ReplicaPhase.STARTING, ReplicaPhase.READY
DRAINING, EXITED = ReplicaPhase.DRAINING, ReplicaPhase.EXITED


def at(state: ServiceState, serving: int | None, desired: int = 2) -> Service:
    return service().model_copy(update={"state": state, "serving": serving, "desired": desired})


def running(*replicas: tuple[int, ReplicaPhase]) -> Observation:
    """Each generation's are numbered from 0."""
    found: list[Replica] = []
    for number, phase in replicas:
        index = sum(replica.generation == number for replica in found)
        found.append(Replica(generation=number, index=index, phase=phase, address="unix:/r"))
    return Observation(key=KEY, replicas=tuple(found))


NEW = at(ServiceState.TRANSITIONING, None, 1)
FIRST_FAILED = at(ServiceState.FAILED, None, 1)
SERVES = at(ServiceState.HEALTHY, 2)
AILING = at(ServiceState.UNHEALTHY, 2)
UPDATING = at(ServiceState.HEALTHY, 1)
LEAVING = at(ServiceState.DELETING, 2)

TWO = running((2, READY), (2, READY))
BOTH = running((1, READY), (2, READY))

TABLE = [
    # service, its newest generation, what runs, wanted replicas, published -> action
    ("a new service is deployed", NEW, PENDING, running(), 0, True, Action.DEPLOY),
    ("... also when it was begun", NEW, PENDING, running((1, STARTING)), 0, True, Action.DEPLOY),
    ("... also without a gateway yet", NEW, PENDING, running(), 0, False, Action.DEPLOY),
    ("a failed first deployment is at rest", FIRST_FAILED, FAILED, running(), 0, True, None),
    ("... what it left is ended", FIRST_FAILED, FAILED, running((1, EXITED)), 0, True, Action.RETIRE),
    ("what serves as wanted is at rest", SERVES, HEALTHY, running((2, READY)), 1, True, None),
    ("an update goes before repair", UPDATING, PENDING, running(), 1, False, Action.DEPLOY),
    ("after a failed update the former serves", UPDATING, FAILED, running((1, READY)), 1, True, None),
    ("... and is repaired", UPDATING, FAILED, running((1, EXITED)), 1, True, Action.RESTORE),
    ("a missing replica is restored", SERVES, HEALTHY, running(), 1, True, Action.RESTORE),
    ("... and one that died", SERVES, HEALTHY, running((2, EXITED)), 1, True, Action.RESTORE),
    ("... and one of several", SERVES, HEALTHY, running((2, EXITED), (2, READY)), 2, True, Action.RESTORE),
    ("more are started when more are wanted", SERVES, HEALTHY, running((2, READY)), 2, True, Action.SCALE),
    ("... and published when they are ready", SERVES, HEALTHY, TWO, 2, False, Action.PUBLISH),
    ("what is not wanted is not published", SERVES, HEALTHY, TWO, 1, False, Action.PUBLISH),
    ("... and then ended", SERVES, HEALTHY, TWO, 1, True, Action.SCALE),
    ("... also if it is dead", SERVES, HEALTHY, running((2, READY), (2, EXITED)), 1, True, Action.SCALE),
    ("scaling goes on while one starts", SERVES, HEALTHY, running((2, STARTING)), 2, True, Action.SCALE),
    ("... though another generation runs", SERVES, HEALTHY, running((1, READY)), 1, True, Action.RESTORE),
    ("... before the gateway", SERVES, HEALTHY, running(), 1, False, Action.RESTORE),
    ("a dead gateway is started", SERVES, HEALTHY, running((2, READY)), 1, False, Action.PUBLISH),
    ("... before the old is retired", SERVES, HEALTHY, BOTH, 1, False, Action.PUBLISH),
    ("the old generation is retired", SERVES, HEALTHY, BOTH, 1, True, Action.RETIRE),
    ("... if it is dead, too", SERVES, HEALTHY, running((1, EXITED), (2, READY)), 1, True, Action.RETIRE),
    ("... also while it drains", SERVES, HEALTHY, running((1, DRAINING), (2, READY)), 1, True, Action.RETIRE),
    ("a restored service is waited for", AILING, HEALTHY, running((2, STARTING)), 1, True, None),
    ("... and healthy when ready", AILING, HEALTHY, running((2, READY)), 1, True, Action.MARK_HEALTHY),
    ("... all of it", AILING, HEALTHY, running((2, READY), (2, STARTING)), 2, True, None),
    ("deletion goes before all", LEAVING, PENDING, running((2, EXITED)), 1, False, Action.DELETE),
    ("... also when nothing runs", LEAVING, HEALTHY, running(), 1, True, Action.DELETE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "newest", "observation", "wanted", "published", "action"),
    [row[1:] for row in TABLE],
    ids=[f"{number}: {row[0]}" for number, row in enumerate(TABLE)],
)
def test_next_action(
    subject: Service,
    newest: GenerationState,
    observation: Observation,
    wanted: int,
    published: bool,
    action: Action | None,
) -> None:
    assert next_action(subject, newest, observation, wanted, published) is action


replicas = st.lists(st.tuples(st.integers(1, 2), st.sampled_from(ReplicaPhase)), max_size=4)


@given(
    st.sampled_from(ServiceState),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(GenerationState),
    replicas,
    st.integers(1, 3),
    st.booleans(),
)
def test_it_rests_only_when_what_serves_is_all_there(
    state: ServiceState,
    serving: int | None,
    newest: GenerationState,
    phases: list[tuple[int, ReplicaPhase]],
    wanted: int,
    published: bool,
) -> None:
    action = next_action(at(state, serving), newest, running(*phases), wanted, published)
    if action is None:
        assert state is not ServiceState.DELETING
        assert newest is not PENDING
        alive = [number for number, phase in phases if phase is not EXITED]
        assert {number for number, _ in phases} <= {serving}
        assert serving is None or (len(alive) == wanted and published)
