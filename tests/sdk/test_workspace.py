from __future__ import annotations

import json
from pathlib import Path

import pytest

from estiva.errors import UserErrorException, WorkspaceException
from estiva.sdk.workspace import Workspace, find_config, read_config
from tests.sdk.answering import Script, of_json

SCOPE = "/subscriptions/S/resourceGroups/G/providers/Microsoft.MachineLearningServices/workspaces/W"


def config(path: Path, content: object = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"workspace_name": "W"} if content is None else content))
    return path


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ({"subscription_id": "S", "resource_group": "G", "workspace_name": "W"}, ("S", "G", "W")),
        ({"workspace_name": "W"}, ("", "", "W")),
        ({"Id": None, "Scope": SCOPE}, ("S", "G", "W")),
    ],
)
def test_both_shapes_of_the_file_are_read(
    tmp_path: Path, content: object, read: tuple[str, str, str]
) -> None:
    assert read_config(config(tmp_path / "config.json", content)) == read


def test_a_byte_order_mark_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(b'\xef\xbb\xbf{"workspace_name": "W"}')
    assert read_config(file) == ("", "", "W")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "names no workspace: it needs 'workspace_name'"),
        ({"workspace_name": ""}, "names no workspace"),
        ({"workspace_name": 3}, "names no workspace"),
        ({"Scope": "/subscriptions/S"}, "or a 'Scope' that ends in /workspaces/NAME"),
        ({"Scope": SCOPE.removesuffix("W")}, "names no workspace"),
        ({"Scope": 3}, "names no workspace"),
    ],
)
def test_a_file_that_names_no_workspace(tmp_path: Path, content: object, said: str) -> None:
    file = config(tmp_path / "config.json", content)
    with pytest.raises(UserErrorException, match=said) as caught:
        read_config(file)
    assert caught.value.code == "ConfigInvalid"
    assert str(file) in caught.value.message


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    for content in (b"{", b"\xff"):
        file.write_bytes(content)
        with pytest.raises(UserErrorException, match=r"config\.json is not readable JSON"):
            read_config(file)


def test_a_file_is_used_as_it_is(tmp_path: Path) -> None:
    file = config(tmp_path / "team.json")
    assert find_config(file) == file


def test_the_search_goes_upwards_for_each_kind_of_folder_and_name_in_turn(tmp_path: Path) -> None:
    start = tmp_path / "a/b"
    start.mkdir(parents=True)
    # The order in which they are found, whatever else is there.
    places = [
        start / ".azureml/config.json",
        tmp_path / ".azureml/config.json",
        start / ".azureml/project.json",
        tmp_path / "a/aml_config/config.json",
        start / "aml_config/project.json",
        tmp_path / "config.json",
        start / "project.json",
    ]
    for place in places:
        config(place)
    for place in places:
        assert find_config(start) == place
        place.unlink()


def test_nothing_found_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match=r"No config\.json was found in .* or above it") as caught:
        find_config(tmp_path)
    assert caught.value.code == "ConfigNotFound"
    assert str(tmp_path) in caught.value.message


@pytest.fixture
def known(control: Script) -> Workspace:
    """The workspace W of a control server that knows no other."""
    control.on("GET", "/workspaces/W", of_json({"name": "W", "location": "here", "tags": {"team": "a"}}))
    for name in ("x", "X"):
        problem = {
            "type": "WorkspaceException",
            "code": "WorkspaceNotFound",
            "message": f"There is no {name}.",
        }
        control.on("GET", f"/workspaces/{name}", of_json(problem, 404))
    return Workspace("S", "G", "W")


@pytest.mark.parametrize(("present", "used"), [("aml_config", "aml_config"), ("unrelated", ".azureml")])
def test_what_is_written_is_found_again(
    known: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: str, used: str
) -> None:
    (tmp_path / present).mkdir()
    known.write_config(str(tmp_path))
    assert json.loads((tmp_path / used / "config.json").read_text()) == {"Id": None, "Scope": SCOPE}
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    found = Workspace.from_config()
    assert (found.name, found.subscription_id, found.resource_group) == ("W", "S", "G")


def test_the_written_file_may_have_another_name(known: Workspace, tmp_path: Path) -> None:
    known.write_config(str(tmp_path), "team.json")
    assert Workspace.from_config(str(tmp_path / ".azureml/team.json")).name == "W"


def test_details_are_those_that_scripts_print(known: Workspace) -> None:
    details = known.get_details()
    assert (details["id"], details["name"], details["location"]) == (SCOPE, "W", "here")
    assert (known.location, known.tags) == ("here", {"team": "a"})


def test_a_configuration_that_names_an_unknown_workspace_says_how_to_make_it(
    known: Workspace, tmp_path: Path
) -> None:
    file = config(tmp_path / "config.json", {"workspace_name": "x"})
    with pytest.raises(WorkspaceException) as caught:
        Workspace.from_config(str(file))
    assert caught.value.code == "WorkspaceNotFound"
    assert f"{file} names the workspace 'x', which does not exist here." in caught.value.message
    assert "Workspace.create('x') or `estiva workspace create x`" in caught.value.message


def test_creating_says_so(known: Workspace, control: Script, capsys: pytest.CaptureFixture[str]) -> None:
    control.on("POST", "/workspaces", of_json({"name": "W"}, 201))
    Workspace.create("W", tags={"team": "a"}, location="here", sku="enterprise", friendly_name="Doubles")
    assert capsys.readouterr().out == "Workspace W created.\n"
    sent = control.requests("POST", "/workspaces")[0].json
    assert (sent["name"], sent["location"], sent["tags"]) == ("W", "here", {"team": "a"})


def test_creating_what_exists(known: Workspace, control: Script, capsys: pytest.CaptureFixture[str]) -> None:
    problem = {"type": "WorkspaceException", "code": "WorkspaceExists", "message": "There is one."}
    control.on("POST", "/workspaces", of_json(problem, 409))
    assert Workspace.create("W", exist_ok=True).name == "W"
    assert capsys.readouterr().out == ""
    with pytest.raises(WorkspaceException, match=r"There is one\."):
        Workspace.create("W")


@pytest.mark.parametrize("name", ["W?x", "W#x", "W%2Fx", "W x"])
def test_a_name_never_leads_to_another_workspace(known: Workspace, control: Script, name: str) -> None:
    problem = {"type": "WorkspaceException", "code": "WorkspaceNotFound", "message": "There is none."}
    control.on("GET", f"/workspaces/{name}", of_json(problem, 404))
    with pytest.raises(WorkspaceException, match=r"There is none\."):
        Workspace.get(name)


@pytest.mark.parametrize("name", ["", "W/x", "..", "."])
def test_what_no_name_can_be_is_not_even_asked_for(known: Workspace, control: Script, name: str) -> None:
    before = len(control.asked)
    with pytest.raises(UserErrorException, match="cannot be a name"):
        Workspace.get(name)
    assert len(control.asked) == before
