from __future__ import annotations

from estiva.control.publishing import member_name, pool, route
from estiva.records import (
    Debugger,
    Listener,
    Member,
    Publication,
    Replica,
    ReplicaPhase,
    Route,
    Scaling,
    ServiceSettings,
    Version,
)
from tests.registry.samples import generation, service, spec


def replica(index: int, phase: ReplicaPhase = ReplicaPhase.READY) -> Replica:
    return Replica(generation=3, index=index, phase=phase, address=f"unix:/run/{index}.sock")


SETTINGS = ServiceSettings(
    replica_max_concurrent_requests=2,
    max_request_wait_time=700,
    scoring_timeout_ms=9000,
    body_limit=1234,
)


def test_a_route_has_the_settings_of_its_generation_at_the_port_of_its_service() -> None:
    of = generation(3, of=spec().model_copy(update={"settings": SETTINGS}))
    publication = Publication(host="10.1.2.3", port=8890)
    published = service().model_copy(update={"publication": publication, "scaling": Scaling(replicas=2)})
    version = Version(
        name="default",
        members=(
            Member(name="g3-0", address="unix:/run/0.sock"),
            Member(name="g3-1", address="unix:/run/1.sock"),
        ),
        concurrency=2,
        wait_ms=700,
        timeout_ms=9000,
        body_limit=1234,
    )
    listener = Listener(host="10.1.2.3", port=8890)
    built = route(published, of, (replica(0), replica(1)), listener)
    assert built == Route(
        name=published.key.service,
        versions=(version,),
        listener=listener,
    )
    assert built.pool("default") == pool(published.key)


def test_in_debug_mode_one_replica_gets_all_requests_and_takes_its_time() -> None:
    settings = SETTINGS.model_copy(update={"debugger": Debugger(port=5678)})
    of = generation(3, of=spec().model_copy(update={"settings": settings}))
    scaled = service().model_copy(update={"scaling": Scaling(replicas=2)})
    (version,) = route(scaled, of, (replica(0), replica(1))).versions
    assert [member.name for member in version.members] == ["g3-0"]
    assert version.timeout_ms == 24 * 3600 * 1000


def test_a_dead_replica_keeps_its_place() -> None:
    dead = route(service(), generation(3), (replica(0, ReplicaPhase.EXITED),))
    assert dead == route(service(), generation(3), (replica(0),))


def test_a_new_replica_has_a_place_when_it_is_ready() -> None:
    starting = replica(0, ReplicaPhase.STARTING)
    assert route(service(), generation(3), (starting,)).default.members == ()
    restarted = starting.model_copy(update={"restarts": 1})
    assert len(route(service(), generation(3), (restarted,)).default.members) == 1


def test_a_replica_that_is_not_wanted_any_more_has_no_place() -> None:
    found = route(service(), generation(3), (replica(0), replica(1))).default
    assert [member.name for member in found.members] == ["g3-0"]


def test_a_service_without_replicas_keeps_its_port() -> None:
    assert route(service(), generation(3), ()).default.members == ()


def test_names_of_members_differ_between_generations() -> None:
    older = replica(0).model_copy(update={"generation": 2})
    assert (member_name(older), member_name(replica(0))) == ("g2-0", "g3-0")


def test_a_replica_says_itself_how_many_requests_it_takes() -> None:
    says = replica(0).model_copy(update={"capacity": 64})
    assert route(service(), generation(3), (replica(1), says)).default.concurrency == 64
