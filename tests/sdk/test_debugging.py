"""What an editor is told of a service in debug mode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from estiva.records import Code, TargetKind, Tree
from estiva.sdk.debugging import mapping, write_entry


def code(entry: str, source: str | None = None) -> Code:
    name = f"{Path(source).name}/{Path(entry).name}" if source else Path(entry).name
    return Code(tree=Tree(files=()), entry_script=name, entry_path=entry, source_directory=source)


@pytest.mark.parametrize(
    ("source", "target", "mapped"),
    [
        (None, "process", (Path("/home/ana/iris/source"), ".")),
        ("/home/ana/iris/source", "process", (Path("/home/ana/iris"), ".")),
        (None, "docker", (Path("/home/ana/iris/source"), "/var/azureml-app")),
        ("/home/ana/iris/source", "docker", (Path("/home/ana/iris/source"), "/var/azureml-app/source")),
    ],
)
def test_the_folder_is_mapped_to_where_its_files_are(
    source: str | None, target: TargetKind, mapped: tuple[Path, str]
) -> None:
    assert mapping(code("/home/ana/iris/source/score.py", source), target) == mapped


def test_folders_are_relative_to_the_one_that_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {"here": tmp_path, "below": tmp_path / "a" / "b", "elsewhere": Path("/elsewhere")}
    for name, place in places.items():
        write_entry(Path(".vscode/launch.json"), name, 5678, (place, "."))

    written = json.loads((tmp_path / ".vscode" / "launch.json").read_text())["configurations"]
    assert [entry["pathMappings"][0]["localRoot"] for entry in written] == [
        "${workspaceFolder}",
        "${workspaceFolder}/a/b",
        "/elsewhere",
    ]
