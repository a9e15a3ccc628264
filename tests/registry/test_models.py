from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from estiva.errors import WebserviceException
from estiva.records import Model
from estiva.registry.models import Tag
from estiva.registry.store import Store
from tests.registry.samples import KEY, generation, model, program, service, spec


def _ids(models: Sequence[Model]) -> list[str]:
    return [model.id for model in models]


def test_a_model_is_read_as_it_was_registered(store: Store) -> None:
    given = model(
        description="Ridge regression",
        tags={"area": "diabetes"},
        properties={"alpha": "0.5"},
        framework="ScikitLearn",
        framework_version="1.4",
        experiment_name="first",
        run_id="run-1",
        created_by="ana",
    )
    added = store.add_model("lab", given)
    assert added == given.model_copy(update={"version": 1})
    assert store.model("lab", "ridge") == store.model("lab", "ridge", 1) == added


def test_the_same_name_again_is_the_next_version(store: Store) -> None:
    assert [store.add_model("lab", model()).version for _ in range(11)] == list(range(1, 12))
    assert store.add_model("lab", model("lasso")).version == 1
    assert store.model("lab", "ridge").version == 11


def test_a_deleted_version_is_never_given_out_again(store: Store) -> None:
    store.add_model("lab", model())
    store.add_model("lab", model())
    store.delete_model("lab", "ridge", 2)
    assert store.model("lab", "ridge").version == 1
    store.delete_model("lab", "ridge", 1)
    assert store.add_model("lab", model()).version == 3


def test_threads_at_once_get_different_versions(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        versions = list(pool.map(lambda _: store.add_model("lab", model()).version, range(64)))
    assert sorted(versions) == list(range(1, 65))


_REGISTER = """
import sys
from estiva.errors import WorkspaceException
from estiva.records import Model, Tree, Workspace
from estiva.registry.store import Store
print("ready", flush=True)
sys.stdin.readline()
store = Store(sys.argv[1])
try:
    store.create_workspace(Workspace(name="lab"))
except WorkspaceException:
    pass
for _ in range(10):
    print(store.add_model("lab", Model(name="ridge", version=0, tree=Tree(files=()))).version)
store.close()
"""


def test_processes_at_once_get_one_database_and_different_versions(url: str) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(program(_REGISTER, url)) for _ in range(4)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        versions = [
            int(version) for process in processes for version in process.communicate(timeout=30)[0].split()
        ]
    assert sorted(versions) == list(range(1, 41))


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        ("rigde", None, 'name "rigde" in the workspace "lab". Did you mean ridge?'),
        ("ridge", 3, 'name "ridge", version 3 in the workspace "lab". Its versions are: 1, 2.'),
        ("forest", None, "List the models"),
    ],
)
def test_a_model_that_is_not_there(store: Store, name: str, version: int | None, said: str) -> None:
    store.add_model("lab", model())
    store.add_model("lab", model())
    with pytest.raises(WebserviceException) as caught:
        store.model("lab", name, version)
    assert str(caught.value).startswith("ModelNotFound:")
    assert said in str(caught.value)
    assert caught.value.code == "ModelNotFound"


@pytest.fixture
def shelf(store: Store) -> Store:
    store.add_model("lab", model("ridge", tags={"area": "health", "stage": "test"}, framework="ScikitLearn"))
    store.add_model("lab", model("ridge", tags={"area": "health"}, run_id="run-1"))
    store.add_model(
        "lab", model("net", tags={"area": "vision"}, properties={"layers": "3"}, framework="Onnx")
    )
    store.add_model("lab", model("ridge"))
    return store


def test_models_are_listed_newest_first(shelf: Store) -> None:
    assert _ids(shelf.models("lab")) == ["ridge:3", "net:1", "ridge:2", "ridge:1"]
    assert _ids(shelf.models("lab", latest=True)) == ["ridge:3", "net:1"]
    assert _ids(shelf.models("lab", name="ridge")) == ["ridge:3", "ridge:2", "ridge:1"]
    assert _ids(shelf.models("lab", framework="Onnx")) == ["net:1"]
    assert _ids(shelf.models("lab", run_id="run-1")) == ["ridge:2"]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["area"], ["net:1", "ridge:2", "ridge:1"]),
        ([("area", "health")], ["ridge:2", "ridge:1"]),
        ([("area", "health"), "stage"], ["ridge:1"]),
        ([("area", "nowhere")], []),
        (["Area"], []),
    ],
)
def test_all_tags_must_match(shelf: Store, tags: list[Tag], expected: list[str]) -> None:
    assert _ids(shelf.models("lab", tags=tags)) == expected


def test_properties_match_as_tags_do(shelf: Store) -> None:
    assert _ids(shelf.models("lab", properties=[("layers", "3")])) == ["net:1"]
    assert shelf.models("lab", properties=[("layers", "4")]) == []


def test_latest_is_the_newest_of_those_that_match(shelf: Store) -> None:
    assert _ids(shelf.models("lab", tags=["area"], latest=True)) == ["net:1", "ridge:2"]


def test_tags_are_replaced_and_properties_added(store: Store) -> None:
    store.add_model("lab", model(tags={"a": "1"}, properties={"alpha": "0.5"}, description="old"))
    updated = store.update_model("lab", "ridge", 1, tags={"b": "2"}, add_properties={"beta": "1"})
    assert updated == store.model("lab", "ridge", 1)
    assert updated.tags == {"b": "2"}
    assert updated.properties == {"alpha": "0.5", "beta": "1"}
    assert updated.description == "old"
    assert store.update_model("lab", "ridge", 1, tags={}, description="").tags == {}
    assert store.model("lab", "ridge", 1).description == ""


def test_a_tag_that_is_not_text_changes_nothing(store: Store) -> None:
    added = store.add_model("lab", model(tags={"a": "1"}))
    with pytest.raises(ValueError, match="valid string"):
        store.update_model("lab", "ridge", 1, tags={"a": 1})  # type: ignore[dict-item]
    assert store.model("lab", "ridge") == added


def test_a_property_cannot_be_changed(store: Store) -> None:
    store.add_model("lab", model(properties={"alpha": "0.5", "beta": "1"}))
    with pytest.raises(WebserviceException, match="alpha,beta"):
        store.update_model(
            "lab", "ridge", 1, tags={"x": "y"}, add_properties={"beta": "1", "alpha": "2", "c": ""}
        )
    assert store.model("lab", "ridge", 1).properties == {"alpha": "0.5", "beta": "1"}
    assert store.model("lab", "ridge", 1).tags == {}


def test_deleting_twice_says_so(store: Store) -> None:
    store.add_model("lab", model())
    store.delete_model("lab", "ridge", 1)
    with pytest.raises(WebserviceException, match="ModelNotFound"):
        store.delete_model("lab", "ridge", 1)


def test_deleting_is_refused_while_a_service_wants_or_serves_it(store: Store) -> None:
    first, second, unused = (store.add_model("lab", model()) for _ in range(3))
    store.create_service(service(), generation(1, spec(first)))
    store.update_service(KEY, serving=1)
    store.add_generation(KEY, spec(second), "update")
    for used in (first, second):
        with pytest.raises(WebserviceException, match="while a service uses it: diabetes") as caught:
            store.delete_model("lab", "ridge", used.version)
        assert caught.value.code == "DeletionRequired"
    store.delete_model("lab", "ridge", unused.version)
    store.update_service(KEY, serving=2)
    store.delete_model("lab", "ridge", first.version)
    store.remove_service(KEY)
    store.delete_model("lab", "ridge", second.version)
    assert store.models("lab") == []
