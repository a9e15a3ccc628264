from __future__ import annotations

import pytest

from estiva.errors import WebserviceException, WorkspaceException
from estiva.records import ServiceKey, Workspace
from estiva.registry.store import Store
from tests.registry.samples import KEY, generation, model, service


def test_a_workspace_is_read_as_it_was_created(store: Store) -> None:
    workspace = Workspace(name="field", resource_group="group", location="here", tags={"team": "a"})
    assert store.create_workspace(workspace) == workspace
    assert store.workspace("field") == workspace
    assert [known.name for known in store.workspaces()] == ["field", "lab"]


def test_a_name_that_is_taken(store: Store) -> None:
    with pytest.raises(WorkspaceException, match='"lab" exists already') as caught:
        store.create_workspace(Workspace(name="lab"))
    assert caught.value.code == "WorkspaceExists"


def test_a_name_that_is_unknown(store: Store) -> None:
    with pytest.raises(WorkspaceException, match=r'no workspace "lob". There are: lab') as caught:
        store.workspace("lob")
    assert caught.value.code == "WorkspaceNotFound"
    with pytest.raises(WorkspaceException):
        store.add_model("lob", model())


def test_fields_are_updated_and_the_rest_is_kept(store: Store) -> None:
    before = store.workspace("lab")
    after = store.update_workspace("lab", tags={"team": "b"}, location="there")
    assert after == store.workspace("lab")
    assert after == before.model_copy(update={"tags": {"team": "b"}, "location": "there"})


def test_deleting_takes_the_models_along(store: Store) -> None:
    store.add_model("lab", model())
    store.delete_workspace("lab")
    assert store.workspaces() == []
    assert store.referenced_blobs() == set()
    store.create_workspace(Workspace(name="lab"))
    assert store.add_model("lab", model()).version == 1


def test_deleting_is_refused_while_there_are_services(store: Store) -> None:
    store.create_service(service(KEY), generation())
    store.create_service(service(ServiceKey(workspace="lab", service="iris")), generation())
    with pytest.raises(WorkspaceException, match="services: diabetes, iris") as caught:
        store.delete_workspace("lab")
    assert caught.value.code == "WorkspaceInUse"
    assert store.service(KEY).desired == 1


def test_deleting_what_is_not_there(store: Store) -> None:
    with pytest.raises(WorkspaceException) as caught:
        store.delete_workspace("lob")
    assert caught.value.code == "WorkspaceNotFound"


def test_workspaces_do_not_see_each_other(store: Store) -> None:
    store.create_workspace(Workspace(name="field"))
    store.add_model("lab", model())
    assert store.models("field") == []
    with pytest.raises(WebserviceException):
        store.model("field", "ridge")
