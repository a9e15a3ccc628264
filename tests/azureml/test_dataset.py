from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from estiva.azureml.dataset import Dataset, FileFactory, PromoteHeadersBehavior, TabularFactory
from estiva.azureml.datastore import Datastore
from estiva.azureml.workspace import Workspace
from estiva.errors import UserErrorException


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text('a,b\n1,"x, y"\n2,z\n')
    return path


def test_a_table_has_columns_rows_and_types(table: Path) -> None:
    found = TabularFactory.from_delimited_files(str(table))
    assert (found.columns, found.rows()) == (["a", "b"], [["1", "x, y"], ["2", "z"]])
    assert found.take(1).rows() == [["1", "x, y"]]
    frame = found.to_pandas_dataframe()
    assert isinstance(frame, pd.DataFrame)
    assert frame["a"].sum() == 3


def test_lines_are_rows_of_one_column(tmp_path: Path) -> None:
    path = tmp_path / "requests.txt"
    path.write_text('{"data": [1, 2]}\n{"data": [3, 4]}\n')
    headers = PromoteHeadersBehavior.NO_HEADERS
    found = TabularFactory.from_delimited_files(str(path), separator="\n", header=headers)
    assert found.rows() == [['{"data": [1, 2]}'], ['{"data": [3, 4]}']]


def test_files_from_a_datastore(workspace: Workspace, table: Path, tmp_path: Path) -> None:
    store = workspace.get_default_datastore()
    store.upload_files([str(table)], target_path="samples", overwrite=True)
    found = TabularFactory.from_delimited_files([(store, "samples/table.csv")])
    assert len(found.rows()) == 2
    assert FileFactory.from_files(store.path("samples")).to_path() == ["/table.csv"]
    assert store.download(str(tmp_path / "copy"), prefix="samples") == 1
    assert (tmp_path / "copy" / "samples" / "table.csv").read_text() == table.read_text()
    with pytest.raises(UserErrorException, match="leads out"):
        store.place("../../elsewhere")


def test_datasets_by_name_and_version(workspace: Workspace, table: Path, tmp_path: Path) -> None:
    made = TabularFactory.from_delimited_files(str(table)).register(workspace, "rows", tags={"a": "b"})
    assert (made.name, made.version, made.tags) == ("rows", 1, {"a": "b"})
    with pytest.raises(UserErrorException, match="create_new_version"):
        made.register(workspace, "rows")
    assert made.register(workspace, "rows", create_new_version=True).version == 2
    assert Dataset.get_by_name(workspace, "rows", version=1).version == 1
    files = FileFactory.from_files(str(table)).register(workspace, "files")
    assert sorted(workspace.datasets) == ["files", "rows"]
    assert files.download(str(tmp_path / "down")) == [str(tmp_path / "down" / "table.csv")]
    with pytest.raises(UserErrorException, match="no dataset 'absent'"):
        Dataset.get_by_name(workspace, "absent")
    files.unregister_all_versions()
    assert list(workspace.datasets) == ["rows"]


def test_a_frame_becomes_a_dataset(workspace: Workspace) -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    found = TabularFactory.register_pandas_dataframe(frame, workspace.get_default_datastore(), "frame")
    assert found.rows() == [["1"], ["2"]]


def test_what_is_not_here_is_refused_by_name(workspace: Workspace) -> None:
    with pytest.raises(UserErrorException, match="download it"):
        TabularFactory.from_delimited_files("https://store.example/table.csv")
    with pytest.raises(UserErrorException, match="no files at"):
        FileFactory.from_files("absent/*.csv")
    with pytest.raises(UserErrorException, match="no datastore 'lake'"):
        Datastore.get(workspace, "lake")
    with pytest.raises(UserErrorException, match="not available"):
        Datastore.register_azure_blob_container(workspace, "lake")
