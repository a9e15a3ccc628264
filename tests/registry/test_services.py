from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr, ValidationError

from estiva.errors import WebserviceException, WorkspaceException
from estiva.records import (
    ContainerRegistry,
    EnvironmentSpecification,
    Evidence,
    Finding,
    GenerationState,
    Probe,
    Scaling,
    ServiceKey,
    ServiceSettings,
    ServiceState,
    Step,
    StepName,
    Workspace,
)
from estiva.registry.store import Store
from tests.registry.samples import KEY, generation, model, service, spec

_IRIS = ServiceKey(workspace="lab", service="iris")


@pytest.fixture
def deployed(store: Store) -> Store:
    store.create_service(service(), generation())
    return store


def test_a_service_is_read_as_it_was_created(store: Store) -> None:
    given = service().model_copy(update={"tags": {"a": "b"}, "properties": {"c": "d"}, "description": "Risk"})
    first = generation(1, spec(model()))
    store.create_service(given, first)
    assert store.service(KEY) == given
    assert store.generation(KEY, 1) == first
    assert store.generations(KEY) == [first]


def test_the_password_of_a_registry_comes_back_and_does_not_show(deployed: Store) -> None:
    registry = ContainerRegistry(address="registry.example", username="ana", password=SecretStr("hunter3"))
    environment = EnvironmentSpecification(name="e", base_image="base:1", base_image_registry=registry)
    deployed.add_generation(KEY, spec().model_copy(update={"environment": environment}), "update")
    stored = deployed.generation(KEY, 2)
    assert stored.spec.environment == environment
    assert "hunter3" not in stored.model_dump_json()
    assert "hunter3" not in repr(stored)


def test_secrets_come_back_and_do_not_show(deployed: Store) -> None:
    stored = deployed.generation(KEY, 1)
    assert stored.spec.secrets["TOKEN"].get_secret_value() == "hunter2"
    assert "hunter2" not in repr(stored)
    deployed.update_generation(KEY, 1, state=GenerationState.HEALTHY)
    assert deployed.generation(KEY, 1).spec.secrets["TOKEN"].get_secret_value() == "hunter2"


def test_a_name_that_is_taken(deployed: Store) -> None:
    with pytest.raises(WebserviceException, match="overwrite=True") as caught:
        deployed.create_service(service(), generation())
    assert caught.value.code == "ServiceExists"
    with pytest.raises(WorkspaceException):
        deployed.create_service(service(ServiceKey(workspace="lob", service="iris")), generation())


def test_a_service_that_is_not_there(deployed: Store) -> None:
    for attempt in (
        lambda: deployed.service(_IRIS),
        lambda: deployed.update_service(_IRIS, serving=1),
        lambda: deployed.generation(_IRIS, 1),
        lambda: deployed.add_generation(_IRIS, spec(), "update"),
        lambda: deployed.trim_generations(_IRIS, 1),
    ):
        with pytest.raises(WebserviceException, match=r"WebserviceNotFound.*There are: diabetes") as caught:
            attempt()
        assert caught.value.code == "WebserviceNotFound"


def test_services_are_listed_by_workspace(deployed: Store) -> None:
    elsewhere = ServiceKey(workspace="field", service="iris")
    deployed.create_workspace(Workspace(name="field"))
    deployed.create_service(service(elsewhere), generation())
    assert [found.key for found in deployed.services()] == [elsewhere, KEY]
    assert [found.key for found in deployed.services("lab")] == [KEY]
    assert deployed.services("nowhere") == []


def test_fields_of_a_service_are_updated(deployed: Store) -> None:
    before = deployed.service(KEY)
    after = deployed.update_service(KEY, state=ServiceState.HEALTHY, serving=1)
    assert after == deployed.service(KEY)
    assert (after.state, after.serving) == (ServiceState.HEALTHY, 1)
    assert after.updated_time > before.updated_time
    assert deployed.update_service(KEY, serving=None).serving is None


def test_a_field_that_does_not_exist_or_fit_changes_nothing(deployed: Store) -> None:
    before = deployed.service(KEY)
    for changes in ({"colour": "red"}, {"serving": "many"}):
        with pytest.raises(ValidationError):
            deployed.update_service(KEY, **changes)
    assert deployed.service(KEY) == before


def test_fields_of_a_generation_are_updated(deployed: Store) -> None:
    changes = {
        "state": GenerationState.FAILED,
        "steps": (Step(name=StepName.INIT, state="failed", seconds=1.5, detail="exit code 3"),),
        "notices": ("numpy was taken from PyPI",),
        "evidence": Evidence(step=StepName.INIT, exit_code=3, log_tail=("KeyError: 'a'",)),
        "findings": (Finding(code="InitFailed", title="init() raised", what="KeyError: 'a'"),),
    }
    after = deployed.update_generation(KEY, 1, **changes)
    assert after == deployed.generation(KEY, 1)
    assert {field: getattr(after, field) for field in changes} == changes
    with pytest.raises(WebserviceException, match="no generation 2"):
        deployed.update_generation(KEY, 2, **changes)


def test_scaling_is_set_if_it_is_what_it_was(deployed: Store) -> None:
    before, more = deployed.service(KEY).scaling, Scaling(replicas=3)
    assert deployed.rescale(KEY, before, more)
    assert deployed.service(KEY).scaling == more
    assert not deployed.rescale(KEY, before, Scaling(replicas=9))
    assert deployed.service(KEY).scaling == more


def test_the_settings_of_a_generation_alone(deployed: Store) -> None:
    probed = ServiceSettings(probe=Probe(period_seconds=10), cpu_reserved=0.5)
    deployed.update_generation(KEY, 1, spec=spec().model_copy(update={"settings": probed}))
    assert deployed.generation_settings(KEY, 1) == probed
    with pytest.raises(WebserviceException, match="has no generation 7"):
        deployed.generation_settings(KEY, 7)


def test_a_new_generation_supersedes_pending_ones_only(deployed: Store) -> None:
    deployed.update_generation(KEY, 1, state=GenerationState.HEALTHY)
    deployed.update_service(KEY, state=ServiceState.HEALTHY, serving=1)
    deployed.add_generation(KEY, spec(script="two"), "update", description="Second", tags={"t": "2"})
    third = deployed.add_generation(KEY, spec(script="three"), "reload", properties={"p": "3"})
    states = {found.number: found.state for found in deployed.generations(KEY)}
    assert states == {3: GenerationState.PENDING, 2: GenerationState.SUPERSEDED, 1: GenerationState.HEALTHY}
    assert list(states) == [3, 2, 1]
    assert (third.number, third.reason) == (3, "reload")
    assert third == deployed.generation(KEY, 3)
    now = deployed.service(KEY)
    assert (now.desired, now.serving, now.state) == (3, 1, ServiceState.TRANSITIONING)
    assert (now.description, now.tags, now.properties) == ("Second", {"t": "2"}, {"p": "3"})


def test_generations_at_once_get_different_numbers(deployed: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: deployed.add_generation(KEY, spec(), "update").number, range(24)))
    assert sorted(added) == list(range(2, 26))
    pending = [found.number for found in deployed.generations(KEY) if found.state is GenerationState.PENDING]
    assert pending == [deployed.service(KEY).desired] == [25]


def test_updates_of_different_fields_at_once_lose_nothing(deployed: Store) -> None:
    numbers = range(1, 21)
    with ThreadPoolExecutor(2) as pool:
        serving = pool.submit(lambda: [deployed.update_service(KEY, serving=number) for number in numbers])
        texts = pool.submit(lambda: [deployed.update_service(KEY, description=str(n)) for n in numbers])
        assert [s.serving for s in serving.result()] == [int(s.description or 0) for s in texts.result()]
    assert (deployed.service(KEY).serving, deployed.service(KEY).description) == (20, "20")


def test_removing_is_idempotent_and_takes_the_generations_along(deployed: Store) -> None:
    deployed.remove_service(KEY)
    deployed.remove_service(KEY)
    assert deployed.services() == []
    assert deployed.generations(KEY) == []
    deployed.create_service(service(), generation())
    assert [found.number for found in deployed.generations(KEY)] == [1]


def test_trimming_spares_the_desired_and_the_serving_generation(deployed: Store) -> None:
    for _ in range(5):
        deployed.add_generation(KEY, spec(), "update")
    deployed.update_service(KEY, serving=2)
    assert deployed.trim_generations(KEY, 10) == []
    assert deployed.trim_generations(KEY, 4) == [1, 3]
    assert deployed.trim_generations(KEY, 0) == [4, 5]
    assert [found.number for found in deployed.generations(KEY)] == [6, 2]
    assert deployed.add_generation(KEY, spec(), "update").number == 7


def test_a_number_is_not_reused_when_the_desired_one_goes_back(deployed: Store) -> None:
    deployed.add_generation(KEY, spec(), "update")
    deployed.update_service(KEY, desired=1)
    assert deployed.add_generation(KEY, spec(), "update").number == 3
