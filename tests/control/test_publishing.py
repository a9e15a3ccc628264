from __future__ import annotations

from estiva.control.publishing import endpoint_route, member_name, pool, service_route, version
from estiva.records import (
    Debugger,
    Endpoint,
    EndpointVersion,
    Listener,
    Member,
    Publication,
    Replica,
    ReplicaPhase,
    Route,
    Scaling,
    ServiceKey,
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
    serves = Version(
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
    built = service_route(published, version(published, of, (replica(0), replica(1))), listener)
    assert built == Route(
        name=published.key.service,
        versions=(serves,),
        listener=listener,
    )
    assert built.pool("default") == pool(published.key)


def test_in_debug_mode_one_replica_gets_all_requests_and_takes_its_time() -> None:
    settings = SETTINGS.model_copy(update={"debugger": Debugger(port=5678)})
    of = generation(3, of=spec().model_copy(update={"settings": settings}))
    scaled = service().model_copy(update={"scaling": Scaling(replicas=2)})
    serves = version(scaled, of, (replica(0), replica(1)))
    assert [member.name for member in serves.members] == ["g3-0"]
    assert serves.timeout_ms == 24 * 3600 * 1000


def test_a_dead_replica_keeps_its_place() -> None:
    dead = version(service(), generation(3), (replica(0, ReplicaPhase.EXITED),))
    assert dead == version(service(), generation(3), (replica(0),))


def test_a_new_replica_has_a_place_when_it_is_ready() -> None:
    starting = replica(0, ReplicaPhase.STARTING)
    assert version(service(), generation(3), (starting,)).members == ()
    restarted = starting.model_copy(update={"restarts": 1})
    assert len(version(service(), generation(3), (restarted,)).members) == 1


def test_a_replica_that_is_not_wanted_any_more_has_no_place() -> None:
    found = version(service(), generation(3), (replica(0), replica(1)))
    assert [member.name for member in found.members] == ["g3-0"]


def test_a_service_without_replicas_keeps_its_port() -> None:
    assert version(service(), generation(3), ()).members == ()


def test_names_of_members_differ_between_generations() -> None:
    older = replica(0).model_copy(update={"generation": 2})
    assert (member_name(older), member_name(replica(0))) == ("g2-0", "g3-0")


def test_a_replica_says_itself_how_many_requests_it_takes() -> None:
    says = replica(0).model_copy(update={"capacity": 64})
    assert version(service(), generation(3), (replica(1), says)).concurrency == 64


def test_the_route_of_an_endpoint_has_the_versions_that_serve_and_their_shares() -> None:
    key = ServiceKey(workspace="lab", service="churn", version="b")
    served = [
        version(service(key.model_copy(update={"version": name})), generation(3), (replica(0),))
        for name in ("a", "b")
    ]
    endpoint = Endpoint(
        workspace="lab",
        name="churn",
        publication=Publication(auth_enabled=True),
        versions=(
            EndpointVersion(name="a"),
            EndpointVersion(name="b", traffic_percentile=10),
            EndpointVersion(name="c", traffic_percentile=20),
        ),
        defaults=("a",),
        sticky_header="x-user",
    )
    built = endpoint_route(endpoint, served)
    assert (built.id, built.shared, built.sticky_header) == ("endpoint:churn", True, "x-user")
    assert [(one.name, one.weight, one.is_default) for one in built.versions] == [
        ("a", 90, True),
        ("b", 10, False),
    ]
    assert built.pool("b") == pool(key)
