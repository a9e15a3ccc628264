from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.errors import MissingModelPath, UserErrorException, WebserviceException
from estiva.messages import ModelReference
from estiva.sdk.arguments import labels, parse_id
from estiva.sdk.deploying import reference
from estiva.sdk.model import Model
from estiva.sdk.workspace import Workspace
from tests.sdk.answering import Answer, Script, of_json

CONTENT = b"weights"
RECORD: dict[str, Any] = {
    "name": "iris",
    "version": 3,
    "tree": {"files": [{"path": "iris.pkl", "sha256": hashlib.sha256(CONTENT).hexdigest(), "size": 7}]},
    "tags": {"stage": "trial"},
    "created_time": "2026-01-02T03:04:05Z",
}
GONE = {"type": "WebserviceException", "code": "ModelNotFound", "message": "ModelNotFound: there is none."}


@pytest.fixture
def workspace(control: Script) -> Workspace:
    control.on("GET", "/workspaces/W", of_json({"name": "W"}))
    control.on("GET", "/workspaces/W/models/iris", of_json(RECORD))
    control.on("GET", "/workspaces/W/models/other", of_json(GONE, 404))
    control.on("GET", "/workspaces/W/models", of_json([RECORD]))
    control.on("PATCH", "/workspaces/W/models/iris/3", of_json(RECORD))
    control.on("GET", "/workspaces/W/models/iris/3/files/iris.pkl", Answer(body=CONTENT))
    return Workspace("", "", "W")


# --- ids, labels, references ------------------------------------------------------------------------------


def test_an_id_is_name_and_version() -> None:
    assert parse_id("iris.model:12") == ("iris.model", 12)
    assert parse_id("a:b:3") == ("a:b", 3)


@pytest.mark.parametrize("text", ["iris", "iris:", ":1", "iris:new", "iris:-1", "iris:1.0", "iris:²", ""])
def test_what_is_no_id_is_told_how_one_looks(text: str) -> None:
    with pytest.raises(WebserviceException, match="looks like name:version, for example iris:1") as caught:
        parse_id(text)
    assert caught.value.code == "ModelId"


@given(st.text())
def test_any_text_is_an_id_or_is_refused(text: str) -> None:
    try:
        name, version = parse_id(text)
    except WebserviceException:
        return
    assert name
    assert version >= 0


def test_labels_are_text() -> None:
    assert labels({"n": 1, "b": True, "t": "x"}, "tags") == {"n": "1", "b": "True", "t": "x"}
    assert labels(None, "tags") == {}


@pytest.mark.parametrize("given_as", [["a"], "a=1", 3, ("a", "b")])
def test_labels_are_a_dict(given_as: Any) -> None:
    with pytest.raises(WebserviceException, match="properties must be a dict"):
        labels(given_as, "properties")


def test_a_model_to_deploy_is_an_object_an_id_or_a_path(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pkl").touch()
    assert reference(Model(workspace, "iris")) == ModelReference(name="iris", version=3)
    assert reference("iris:2") == ModelReference(name="iris", version=2)
    assert reference("model.pkl") == ModelReference(path=str(tmp_path / "model.pkl"))
    assert reference(tmp_path / "model.pkl") == ModelReference(path=str(tmp_path / "model.pkl"))


def test_an_existing_path_wins_over_what_looks_like_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris:2").touch()
    assert reference("iris:2") == ModelReference(path=str(tmp_path / "iris:2"))


def test_a_path_that_is_not_there_is_both_kinds_of_error() -> None:
    with pytest.raises(MissingModelPath, match=r"'missing\.pkl' does not exist \(looked for /") as caught:
        reference("missing.pkl")
    assert isinstance(caught.value, WebserviceException)
    assert isinstance(caught.value, FileNotFoundError)
    assert "looked up from the current folder" in str(caught.value)


# --- finding ----------------------------------------------------------------------------------------------


def test_a_model_by_name_by_id_and_by_version(workspace: Workspace, control: Script) -> None:
    assert Model(workspace, "iris").id == "iris:3"
    assert Model(workspace, id="iris:3").version == 3
    assert Model(workspace, name="iris", version=3).tags == {"stage": "trial"}
    assert [asked.path for asked in control.asked][-3:] == [
        "/workspaces/W/models/iris",
        "/workspaces/W/models/iris?version=3",
        "/workspaces/W/models/iris?version=3",
    ]


def test_neither_name_nor_id(workspace: Workspace) -> None:
    with pytest.raises(WebserviceException, match="Give the name or the id"):
        Model(workspace)


def test_a_missing_model_starts_with_the_word_that_scripts_look_for(workspace: Workspace) -> None:
    for criteria in ({}, {"tags": ["missing"], "version": 2}):
        with pytest.raises(WebserviceException, match=r"^ModelNotFound:"):
            Model(workspace, "other" if not criteria else "iris", **criteria)  # type: ignore[arg-type]


def test_criteria_are_asked_for_and_listed_when_nothing_matches(
    workspace: Workspace, control: Script
) -> None:
    with pytest.raises(WebserviceException) as caught:
        Model(
            workspace,
            "iris",
            tags=["a", ["b", "c"]],
            properties=[("d", "1")],
            version=2,
            model_framework="Onnx",
        )
    query = control.requests("GET", "/workspaces/W/models")[0].path.partition("?")[2]
    assert query == "name=iris&tag=a&tag=b%3Dc&property=d%3D1&framework=Onnx&latest=false"
    assert '"iris"' in caught.value.message
    assert '["a", ["b", "c"]]' in caught.value.message


@pytest.mark.parametrize("page_count", [19, 256])
def test_a_page_has_20_to_255_models(workspace: Workspace, page_count: int) -> None:
    with pytest.raises(UserErrorException, match="from 20 to 255"):
        Model.list(workspace, page_count=page_count)


def test_criteria_are_lists(workspace: Workspace) -> None:
    with pytest.raises(UserErrorException, match="lists of 'key' or"):
        Model.list(workspace, tags="stage")


# --- changing ---------------------------------------------------------------------------------------------


def test_tags_are_merged_and_replacements_told(
    workspace: Workspace, control: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model(workspace, "iris")
    model.add_tags({"stage": "live", "n": 1})
    model.remove_tags("stage")
    model.remove_tags(["stage", "other"])
    model.add_properties({"p": 1})
    model.update(description="new")
    sent = [asked.json for asked in control.requests("PATCH", "/workspaces/W/models/iris/3")]
    nothing = {"tags": None, "description": None, "add_properties": None}
    assert sent == [
        {**nothing, "tags": {"stage": "live", "n": "1"}},
        {**nothing, "tags": {}},
        {**nothing, "tags": {}},
        {**nothing, "add_properties": {"p": "1"}},
        {**nothing, "description": "new"},
    ]
    assert capsys.readouterr().out == "Replacing tag stage: trial -> live\n"


# --- registering ------------------------------------------------------------------------------------------


def test_registering_prints_one_line(
    workspace: Workspace, control: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "iris.pkl").write_bytes(CONTENT)
    control.on("POST", "/workspaces/W/models", of_json({"kind": "result", "result": RECORD}))
    model = Model.register(workspace, model_name="iris", model_path=tmp_path / "iris.pkl", tags={"n": 1})
    assert (model.id, capsys.readouterr().out) == ("iris:3", "Registering model iris\n")
    sent = control.requests("POST", "/workspaces/W/models")[0].json
    assert (sent["name"], sent["path"], sent["tags"]) == ("iris", str(tmp_path / "iris.pkl"), {"n": "1"})


def test_child_paths_are_below_the_model_path(
    workspace: Workspace, control: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net").mkdir()
    (tmp_path / "net/a").touch()
    (tmp_path / "net/b").touch()
    control.on("POST", "/workspaces/W/models", of_json({"kind": "result", "result": RECORD}))
    Model.register(workspace, "net", "iris", child_paths=["net/a", "b", tmp_path / "net/a", "missing"])
    sent = control.requests("POST", "/workspaces/W/models")[0].json
    assert sent["child_paths"] == [str(tmp_path / "net" / name) for name in ("a", "b", "a", "missing")]


def test_a_version_of_a_framework_needs_the_framework(workspace: Workspace) -> None:
    with pytest.raises(WebserviceException, match="without model_framework: give both or neither"):
        Model.register(workspace, "x", "iris", model_framework_version="1.0")


# --- downloading ------------------------------------------------------------------------------------------


def test_a_model_of_one_file_downloads_to_that_file(workspace: Workspace, tmp_path: Path) -> None:
    model = Model(workspace, "iris")
    path = model.download(tmp_path / "here")
    assert (path, Path(path).read_bytes()) == (str(tmp_path / "here/iris.pkl"), CONTENT)
    with pytest.raises(WebserviceException, match=r"iris\.pkl exists\. Choose another target_dir"):
        model.download(tmp_path / "here")
    assert model.download(tmp_path / "here", exist_ok=True) == path


def test_what_is_damaged_on_the_way_leaves_what_was_there(
    workspace: Workspace, control: Script, tmp_path: Path
) -> None:
    (tmp_path / "iris.pkl").write_text("mine")
    control.on("GET", "/workspaces/W/models/iris/3/files/iris.pkl", Answer(body=b"other"))
    with pytest.raises(WebserviceException, match=r"iris\.pkl of model iris:3 is damaged") as caught:
        Model(workspace, "iris").download(tmp_path, exist_ok=True)
    assert caught.value.code == "BlobDamaged"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"iris.pkl": "mine"}


def test_the_former_name_of_exist_ok(workspace: Workspace) -> None:
    with pytest.raises(WebserviceException, match="use exist_ok"):
        Model(workspace, "iris").download(exists_ok=True)


def test_the_serialized_form_has_the_keys_of_sdk_v1(workspace: Workspace) -> None:
    serialized = Model(workspace, "iris").serialize()
    assert serialized["id"] == "iris:3"
    assert set(serialized) == {
        *("createdTime", "createdBy", "description", "id", "mimeType", "name", "framework"),
        *("frameworkVersion", "tags", "properties", "unpack", "url", "version", "experimentName", "runId"),
        *("runDetails", "datasets", "resourceConfiguration", "sampleInputDatasetId", "sampleOutputDatasetId"),
    }
