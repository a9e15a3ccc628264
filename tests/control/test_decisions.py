"""What the loop does about a service, for every state of affairs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.control.decisions import Action, Lane, next_deployment, next_upkeep, retirable, to_begin
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
UPDATING = at(ServiceState.TRANSITIONING, 2, 3)
LEAVING = at(ServiceState.DELETING, 2)

TWO = running((2, READY), (2, READY))
BOTH = running((1, READY), (2, READY))
BESIDE = running((2, READY), (3, STARTING))
DOWN = running((2, EXITED), (3, STARTING))
ALL = running((1, READY), (2, READY), (3, STARTING))
UNREADY = running((2, STARTING))


@pytest.mark.parametrize(
    ("subject", "newest", "action"),
    [
        (NEW, PENDING, Action.DEPLOY),
        (UPDATING, PENDING, Action.DEPLOY),
        (SERVES, HEALTHY, None),
        (FIRST_FAILED, FAILED, None),
        (LEAVING, PENDING, Action.DELETE),
        (LEAVING, HEALTHY, Action.DELETE),
    ],
)
def test_next_deployment(subject: Service, newest: GenerationState, action: Action | None) -> None:
    assert next_deployment(subject, newest) is action


UPKEEP = [
    # service, what runs, wanted replicas, published, a newer generation is being deployed -> action
    ("a new service has nothing to keep up", NEW, running((1, STARTING)), 1, True, True, None),
    ("a failed first deployment is at rest", FIRST_FAILED, running(), 1, True, False, None),
    ("... what it left is ended", FIRST_FAILED, running((1, EXITED)), 1, True, False, Action.RETIRE),
    ("... unless it is deployed again", FIRST_FAILED, running((1, EXITED)), 1, True, True, None),
    ("what serves as wanted is at rest", SERVES, running((2, READY)), 1, True, False, None),
    ("a missing replica is restored", SERVES, running(), 1, True, False, Action.RESTORE),
    ("... and one that died", SERVES, running((2, EXITED)), 1, True, False, Action.RESTORE),
    ("... one of several", SERVES, running((2, EXITED), (2, READY)), 2, True, False, Action.RESTORE),
    ("... while a deployment goes on", UPDATING, DOWN, 1, True, True, Action.RESTORE),
    ("... though another generation runs", SERVES, running((1, READY)), 1, True, False, Action.RESTORE),
    ("... before the gateway", SERVES, running(), 1, False, False, Action.RESTORE),
    ("more are started when more are wanted", SERVES, running((2, READY)), 2, True, False, Action.SCALE),
    ("... while a deployment goes on", UPDATING, BESIDE, 2, True, True, Action.SCALE),
    ("... and published when they are ready", SERVES, TWO, 2, False, False, Action.PUBLISH),
    ("what is not wanted is not published", SERVES, TWO, 1, False, False, Action.PUBLISH),
    ("... and then ended", SERVES, TWO, 1, True, False, Action.SCALE),
    ("... also if it is dead", SERVES, running((2, READY), (2, EXITED)), 1, True, False, Action.SCALE),
    ("scaling goes on while one starts", SERVES, UNREADY, 2, True, False, Action.SCALE),
    ("a dead gateway is started", SERVES, running((2, READY)), 1, False, False, Action.PUBLISH),
    ("... before the old is retired", SERVES, BOTH, 1, False, False, Action.PUBLISH),
    ("the old generation is retired", SERVES, BOTH, 1, True, False, Action.RETIRE),
    ("... if it is dead, too", SERVES, running((1, EXITED), (2, READY)), 1, True, False, Action.RETIRE),
    ("... also while it drains", SERVES, running((1, DRAINING), (2, READY)), 1, True, False, Action.RETIRE),
    ("... also while a newer one is deployed", UPDATING, ALL, 1, True, True, Action.RETIRE),
    ("the one that is deployed is not", UPDATING, BESIDE, 1, True, True, None),
    ("... what is left of it when it failed is", UPDATING, BESIDE, 1, True, False, Action.RETIRE),
    ("a restored service is waited for", AILING, UNREADY, 1, True, False, None),
    ("... and healthy when ready", AILING, running((2, READY)), 1, True, False, Action.MARK_HEALTHY),
    ("... all of it", AILING, running((2, READY), (2, STARTING)), 2, True, False, None),
    ("... a deployment says so itself", UPDATING, BESIDE, 1, True, True, None),
    ("nothing of what is deleted is kept up", LEAVING, running((2, EXITED)), 1, False, False, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "observation", "wanted", "published", "deploying", "action"),
    [row[1:] for row in UPKEEP],
    ids=[f"{number}: {row[0]}" for number, row in enumerate(UPKEEP)],
)
def test_next_upkeep(
    subject: Service,
    observation: Observation,
    wanted: int,
    published: bool,
    deploying: bool,
    action: Action | None,
) -> None:
    assert next_upkeep(subject, observation, wanted, published, deploying) is action


BEGUN = [
    # what each lane has to do, lanes that are busy, whether each generation has its own port -> what begins
    ("both at once", Action.DEPLOY, Action.RESTORE, "", True, "deploy restore"),
    ("one beside the other", Action.DEPLOY, Action.SCALE, "deploy", True, "scale"),
    ("... either way", Action.DEPLOY, Action.SCALE, "serve", True, "deploy"),
    ("one at a time in a lane", Action.DEPLOY, Action.SCALE, "deploy serve", True, ""),
    ("a deletion waits for both lanes", Action.DELETE, None, "serve", True, ""),
    ("... and for a deployment", Action.DELETE, None, "deploy", True, ""),
    ("... and then goes alone", Action.DELETE, Action.RESTORE, "", True, "delete"),
    ("with one port they take turns", Action.DEPLOY, Action.RESTORE, "", False, "deploy"),
    ("... with what was begun", Action.DEPLOY, Action.RESTORE, "serve", False, ""),
    ("... a deployment, too", None, Action.RESTORE, "deploy", False, ""),
    ("... upkeep has its turn", None, Action.RESTORE, "", False, "restore"),
    ("nothing to do", None, None, "", True, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("deployment", "upkeep", "busy", "apart", "begun"),
    [row[1:] for row in BEGUN],
    ids=[f"{number}: {row[0]}" for number, row in enumerate(BEGUN)],
)
def test_to_begin(
    deployment: Action | None, upkeep: Action | None, busy: str, apart: bool, begun: str
) -> None:
    lanes = {Lane(name) for name in busy.split()}
    assert [action.value for action in to_begin(deployment, upkeep, lanes, apart).values()] == begun.split()


replicas = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(ReplicaPhase)), max_size=4)


@given(replicas, st.integers(2, 4))
def test_a_generation_that_may_be_deployed_is_never_retired(
    phases: list[tuple[int, ReplicaPhase]], desired: int
) -> None:
    """Nor is one that was accepted, and begun, after the record was read."""
    updating, seen = at(ServiceState.TRANSITIONING, 2, desired), running(*phases)
    assert retirable(updating, seen, deploying=True) <= {1}
    assert retirable(updating, seen, deploying=False) <= {1, 3, 4} & set(range(desired + 1))


@given(
    st.sampled_from(ServiceState),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(GenerationState),
    st.lists(st.tuples(st.integers(1, 2), st.sampled_from(ReplicaPhase)), max_size=4),
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
    subject = at(state, serving)
    if next_deployment(subject, newest) or next_upkeep(subject, running(*phases), wanted, published, False):
        return
    assert state is not ServiceState.DELETING
    assert newest is not PENDING
    alive = [number for number, phase in phases if phase is not EXITED]
    assert {number for number, _ in phases} <= {serving}
    assert serving is None or (len(alive) == wanted and published)
