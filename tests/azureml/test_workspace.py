from __future__ import annotations

import json
from pathlib import Path

import pytest

from estiva.azureml.workspace import Workspace
from estiva.errors import UserErrorException, WorkspaceException

SCOPE = "/subscriptions/s/resourceGroups/g/providers/p/workspaces/scoped"


@pytest.mark.parametrize(
    "content",
    [
        {"subscription_id": "s", "resource_group": "g", "workspace_name": "named"},
        {"Id": None, "Scope": SCOPE},
    ],
)
def test_from_config_makes_the_workspace_that_it_names(
    workspace: Workspace, tmp_path: Path, told: pytest.CaptureFixture[str], content: dict[str, str]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(content))
    found = Workspace.from_config(str(tmp_path))
    assert (found.subscription_id, found.resource_group) == ("s", "g")
    assert found.name in ("named", "scoped")
    assert f"names the workspace '{found.name}', which is new here" in told.readouterr().err
    Workspace.from_config(str(tmp_path / "config.json"))
    assert told.readouterr().err == ""
    found.write_config(str(tmp_path / "written"))
    assert Workspace.from_config(str(tmp_path / "written")).name == found.name
    found.delete()


def test_a_workspace_that_is_got_by_name_must_exist(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceException, match="absent"):
        Workspace.get("absent", subscription_id="s", resource_group="g")
    with pytest.raises(WorkspaceException, match="absent"):
        Workspace("s", "g", "absent")


def test_what_belongs_to_a_cloud_is_kept_with_a_notice(
    workspace: Workspace, told: pytest.CaptureFixture[str]
) -> None:
    made = Workspace.create(
        "clouded", location="north", key_vault="v", hbi_workspace=True, friendly_name="Ours"
    )
    assert "key_vault, hbi_workspace kept, without effect" in told.readouterr().err
    assert (made.location, made.get_details()["friendlyName"]) == ("north", "Ours")
    made.update(description="text", tags={"a": "b"})
    assert Workspace.get("clouded").get_details()["description"] == "text"
    assert Workspace.get("clouded").tags == {"a": "b"}
    made.delete()
    Workspace.create("clouded", show_output=False)
    assert Workspace.get("clouded").tags == {}, "nothing of a deleted workspace is left"


def test_what_cannot_be_here_says_what_to_use(workspace: Workspace) -> None:
    with pytest.raises(UserErrorException, match="secrets="):
        workspace.get_default_keyvault()
    with pytest.raises(UserErrorException, match="get_keys"):
        workspace.list_keys()
    with pytest.raises(UserErrorException, match="CPU or GPU"):
        workspace.get_default_compute_target("TPU")
    assert workspace.get_default_compute_target("CPU") is None
    assert (workspace.images, workspace.sku) == ({}, "basic")
