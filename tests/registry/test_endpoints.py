from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from estiva.errors import WebserviceException
from estiva.records import (
    Credentials,
    Endpoint,
    EndpointVersion,
    Publication,
    Service,
    ServiceKey,
)
from estiva.registry.store import Store
from tests.registry.samples import generation, model, service, spec

KEYS = Credentials(primary_key=SecretStr("first"), secondary_key=SecretStr("second"), token_grant="first")


def endpoint(name: str = "churn") -> Endpoint:
    return Endpoint(
        workspace="lab",
        name=name,
        publication=Publication(auth_enabled=True),
        versions=(EndpointVersion(name="a", is_control=True),),
        defaults=("a",),
        tags={"team": "growth"},
    )


def version(name: str, of: str = "churn") -> Service:
    key = ServiceKey(workspace="lab", service=of, version=name)
    return service(key).model_copy(update={"publication": None})


def with_version(name: str, before: Endpoint) -> Endpoint:
    added = EndpointVersion(name=name, traffic_percentile=10)
    return before.model_copy(update={"versions": (*before.versions, added)})


@pytest.fixture
def churn(store: Store) -> Store:
    """With an endpoint "churn" that has the versions a and b."""
    store.create_endpoint(endpoint(), version("a"), generation(), KEYS)
    store.add_version(version("b"), generation(), lambda before: with_version("b", before))
    return store


def test_an_endpoint_is_read_as_it_was_created(store: Store) -> None:
    store.create_endpoint(endpoint(), version("a"), generation(), KEYS)
    assert store.endpoint("lab", "churn") == endpoint().model_copy(
        update={
            field: getattr(store.endpoint("lab", "churn"), field)
            for field in ("created_time", "updated_time")
        }
    )
    assert store.endpoints("lab") == store.endpoints() == [store.endpoint("lab", "churn")]
    assert store.endpoints("field") == []
    assert store.credentials("lab", "churn") == KEYS
    assert store.service(version("a").key).publication is None


def test_a_version_is_a_service_with_generations_of_its_own(churn: Store) -> None:
    assert [found.key.version for found in churn.services("lab")] == ["a", "b"]
    churn.add_generation(version("b").key, generation().spec, "update")
    assert [len(churn.generations(version(name).key)) for name in ("a", "b")] == [1, 2]
    assert [one.name for one in churn.endpoint("lab", "churn").versions] == ["a", "b"]


def test_services_and_endpoints_share_their_names(churn: Store) -> None:
    with pytest.raises(WebserviceException, match='The endpoint "churn" exists already') as caught:
        churn.create_service(service(ServiceKey(workspace="lab", service="churn")), generation(), KEYS)
    assert caught.value.code == "ServiceExists"
    churn.create_service(service(), generation(), KEYS)
    taken = endpoint("diabetes")
    with pytest.raises(WebserviceException, match='The service "diabetes" exists already'):
        churn.create_endpoint(taken, version("a", "diabetes"), generation(), KEYS)
    assert [found.name for found in churn.endpoints()] == ["churn"]


def test_a_version_that_is_refused_leaves_nothing(churn: Store) -> None:
    def refuse(_before: Endpoint) -> Endpoint:
        raise WebserviceException("No.", code="TrafficOver100")

    with pytest.raises(WebserviceException, match="No"):
        churn.add_version(version("c"), generation(), refuse)
    with pytest.raises(WebserviceException, match='the endpoint "churn" has no version "c"') as caught:
        churn.service(version("c").key)
    assert "It has the versions a, b." in caught.value.message


def test_who_asks_for_a_service_and_names_an_endpoint_is_told(churn: Store) -> None:
    with pytest.raises(WebserviceException, match="is an endpoint: say which of its versions") as caught:
        churn.service(ServiceKey(workspace="lab", service="churn"))
    assert caught.value.code == "VersionMissing"


def test_an_endpoint_that_is_not_there(churn: Store) -> None:
    def same(before: Endpoint) -> Endpoint:
        return before

    attempts: list[Callable[[], object]] = [
        lambda: churn.endpoint("lab", "iris"),
        lambda: churn.revise_endpoint("lab", "iris", same),
        lambda: churn.add_version(version("a", "iris"), generation(), same),
    ]
    for attempt in attempts:
        with pytest.raises(WebserviceException, match=r"WebserviceNotFound.*There are: churn") as caught:
            attempt()
        assert caught.value.code == "WebserviceNotFound"


def test_an_endpoint_is_revised_unless_it_is_being_deleted(churn: Store) -> None:
    before = churn.endpoint("lab", "churn")
    after = churn.revise_endpoint("lab", "churn", lambda before: before.model_copy(update={"deleting": True}))
    assert after == churn.endpoint("lab", "churn")
    assert after.deleting
    assert after.updated_time > before.updated_time
    with pytest.raises(WebserviceException, match="is being deleted"):
        churn.revise_endpoint("lab", "churn", lambda e: e)


def test_the_endpoint_goes_with_its_last_version(churn: Store) -> None:
    churn.remove_version(version("a").key)
    left = churn.endpoint("lab", "churn")
    assert ([one.name for one in left.versions], left.defaults) == (["b"], ("b",))
    churn.remove_version(version("a").key)
    churn.remove_version(version("b").key)
    churn.remove_version(version("b").key)
    assert (churn.endpoints(), churn.services()) == ([], [])
    with pytest.raises(WebserviceException, match='nothing is published as "churn"'):
        churn.credentials("lab", "churn")


def test_a_model_is_in_use_where_its_own_version_mounts_it(store: Store) -> None:
    """Not where another version of the endpoint has a generation of the same number."""
    used = store.add_model("lab", model())
    store.create_endpoint(endpoint(), version("a"), generation(1, spec(used)), KEYS)
    store.add_version(version("b"), generation(), lambda before: with_version("b", before))
    with pytest.raises(WebserviceException, match="uses it: churn"):
        store.delete_model("lab", used.name, used.version)
    store.remove_version(version("a").key)
    store.delete_model("lab", used.name, used.version)
