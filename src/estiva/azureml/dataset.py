"""azureml.core.dataset: files and tables by name, as far as samples of a model and profiling need them."""

from __future__ import annotations

import builtins
import csv
import glob
import json
import os
import shutil
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from estiva.azureml import storage
from estiva.azureml.datastore import DataPath, Datastore
from estiva.errors import UserErrorException

if TYPE_CHECKING:
    from typing_extensions import Self

    from estiva.azureml.workspace import Workspace

Paths = Any
"""A path, a place in a datastore, a pair of a datastore and a path, or a list of such."""


class PromoteHeadersBehavior(Enum):
    NO_HEADERS = 0
    ONLY_FIRST_FILE_HAS_HEADERS = 1
    COMBINE_ALL_FILES_HEADERS = 2
    ALL_FILES_HAVE_SAME_HEADERS = 3


class Dataset:
    """Files, or the rows that are in them; registered under a name, or not (then `name` is None)."""

    kind: ClassVar[str] = ""

    def __init__(self, files: Sequence[Path], **options: Any) -> None:
        self.files = builtins.list(files)
        self.options = options
        self.name: str | None = None
        self.version: int | None = None
        self.description: str | None = None
        self.tags: dict[str, str] = {}
        self.workspace: Workspace | None = None

    # --- registering and finding ---------------------------------------------------------------------

    def register(
        self,
        workspace: Workspace,
        name: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        create_new_version: bool = False,
    ) -> Self:
        """Under a name; the files stay where they are."""
        documents = storage.Documents(workspace.name, "datasets")
        versions: list[dict[str, Any]] = (documents.read(name) or {"versions": []})["versions"]
        if versions and not create_new_version:
            raise UserErrorException(
                f"The dataset {name!r} exists already: register it with create_new_version=True.",
                code="DatasetExists",
            )
        versions.append(
            {
                "kind": self.kind,
                "files": [str(file.absolute()) for file in self.files],
                "options": self.options,
                "description": description,
                "tags": tags or {},
            }
        )
        documents.write(name, {"versions": versions})
        found = Dataset.get_by_name(workspace, name)
        assert isinstance(found, type(self))
        return found

    @staticmethod
    def get_by_name(workspace: Workspace, name: str, version: int | str = "latest") -> Dataset:
        found = storage.Documents(workspace.name, "datasets").read(name)
        versions = found["versions"] if found else []
        number = len(versions) if version == "latest" else int(version)
        if not 1 <= number <= len(versions):
            raise UserErrorException(
                f"There is no dataset {name!r}, version {version}, in the workspace {workspace.name!r}.",
                code="DatasetNotFound",
            )
        return _restored(workspace, name, number, versions[number - 1])

    @staticmethod
    def get_all(workspace: Workspace) -> dict[str, Dataset]:
        names = storage.Documents(workspace.name, "datasets").names()
        return {name: Dataset.get_by_name(workspace, name) for name in names}

    def unregister_all_versions(self) -> None:
        if self.workspace is not None and self.name is not None:
            storage.Documents(self.workspace.name, "datasets").delete(self.name)

    @property
    def id(self) -> str | None:
        return None if self.name is None else f"{self.name}:{self.version}"


class FileDataset(Dataset):
    kind = "file"

    def to_path(self) -> list[str]:
        return [f"/{file.name}" for file in self.files]

    def download(
        self,
        target_path: str | None = None,
        overwrite: bool = False,
        **kwargs: Any,  # noqa: ARG002
    ) -> list[str]:
        folder = Path(target_path or ".")
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for file in self.files:
            target = folder / file.name
            if target.exists() and not overwrite:
                raise UserErrorException(f"{target} exists: pass overwrite=True.", code="FileExists")
            shutil.copy2(file, target)
            written.append(str(target))
        return written


class TabularDataset(Dataset):
    kind = "tabular"

    def rows(self) -> list[list[str]]:
        """The cells of each row as text, without headers."""
        if self.options.get("format") == "jsonlines":
            texts = [line for file in self.files for line in _lines(file)]
            return [[str(value) for value in json.loads(text).values()] for text in texts]
        return self._delimited()[1]

    @property
    def columns(self) -> list[str]:
        if self.options.get("format") == "jsonlines":
            return list(json.loads(_lines(self.files[0])[0]))
        return self._delimited()[0]

    def _delimited(self) -> tuple[list[str], list[list[str]]]:
        names: list[str] = []
        rows: list[list[str]] = []
        for file in self.files:
            found = _cells(file, str(self.options.get("separator", ",")))
            if self.options.get("header", True) and found:
                names, found = found[0], found[1:]
            rows += found
        return names or [f"Column{number + 1}" for number in range(len(rows[0]) if rows else 0)], rows

    def take(self, count: int) -> TabularDataset:
        return _Rows(self.columns, self.rows()[:count])

    def to_pandas_dataframe(self, **kwargs: Any) -> Any:  # noqa: ARG002
        """Needs pandas in the script's own environment; numbers become numbers."""
        import pandas as pd

        frame = pd.DataFrame(self.rows(), columns=self.columns)
        return frame.apply(lambda column: _numbers(pd, column))


class _Rows(TabularDataset):
    """Some rows of another dataset."""

    def __init__(self, names: list[str], rows: list[list[str]]) -> None:
        super().__init__([])
        self._names, self._kept = names, rows

    @property
    def columns(self) -> list[str]:
        return self._names

    def rows(self) -> list[list[str]]:
        return self._kept


class TabularFactory:
    @staticmethod
    def from_delimited_files(
        path: Paths,
        validate: bool = True,  # noqa: ARG004
        include_path: bool = False,  # noqa: ARG004
        infer_column_types: bool = True,  # noqa: ARG004
        set_column_types: Any = None,  # noqa: ARG004
        separator: str = ",",
        header: PromoteHeadersBehavior | bool = True,
        **kwargs: Any,  # noqa: ARG004
    ) -> TabularDataset:
        promoted = header not in (False, PromoteHeadersBehavior.NO_HEADERS)
        return TabularDataset(_files(path), separator=separator, header=promoted)

    @staticmethod
    def from_json_lines_files(path: Paths, **kwargs: Any) -> TabularDataset:  # noqa: ARG004
        return TabularDataset(_files(path), format="jsonlines")

    @staticmethod
    def from_parquet_files(path: Paths, **kwargs: Any) -> TabularDataset:  # noqa: ARG004
        raise UserErrorException(
            "Parquet files are not read here: write them as CSV or as lines of JSON.", code="NotAvailable"
        )

    @staticmethod
    def register_pandas_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        **kwargs: Any,  # noqa: ARG004
    ) -> TabularDataset:
        """Written to the datastore as CSV."""
        store, inside = target if isinstance(target, tuple) else (target, f"dataframes/{name}")
        place = store.place(Path(inside) / f"{name}.csv")
        place.parent.mkdir(parents=True, exist_ok=True)
        dataframe.to_csv(place, index=False)
        made = TabularDataset([place], separator=",", header=True)
        return made.register(store.workspace, name, description, tags, create_new_version=True)


class FileFactory:
    @staticmethod
    def from_files(path: Paths, validate: bool = True, **kwargs: Any) -> FileDataset:  # noqa: ARG004
        return FileDataset(_files(path))


# As attributes, for the names of their classes are those of SDK v1: Dataset.Tabular.from_delimited_files.
Dataset.Tabular = TabularFactory  # type: ignore[attr-defined]
Dataset.File = FileFactory  # type: ignore[attr-defined]


def _files(given: Paths) -> list[Path]:
    """Folders are taken whole, patterns as what they match. Raises UserErrorException if there is nothing."""
    if isinstance(given, list):
        return [file for item in given for file in _files(item)]
    place = _place(given)
    if "://" in place:
        raise UserErrorException(
            f"{place} is not read from here: download it, and give the path of the file.", code="NotAvailable"
        )
    matching = sorted(glob.glob(place, recursive=True))  # noqa: PTH207  absolute or not, of any depth
    found = [Path(name) for name in matching] or [Path(place)]
    files = [file for path in found for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    files = [file for file in files if file.is_file()]
    if not files:
        raise UserErrorException(f"There are no files at {place}.", code="FileNotFound")
    return files


def _place(given: Any) -> str:
    if isinstance(given, tuple):
        return str(given[0].place(given[1]))
    if isinstance(given, DataPath):
        return str(given.datastore.place(given.path_on_datastore))
    return str(os.fspath(given))


def _restored(workspace: Workspace, name: str, number: int, kept: dict[str, Any]) -> Dataset:
    kind = TabularDataset if kept["kind"] == TabularDataset.kind else FileDataset
    found = kind([Path(file) for file in kept["files"]], **kept["options"])
    found.workspace, found.name, found.version = workspace, name, number
    found.description, found.tags = kept["description"], kept["tags"]
    return found


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]


def _cells(file: Path, separator: str) -> list[list[str]]:
    if separator == "\n":  # a row is a line, whatever is in it
        return [[line] for line in _lines(file)]
    return [row for row in csv.reader(_lines(file), delimiter=separator) if row]


def _numbers(pandas: Any, column: Any) -> Any:
    try:
        return pandas.to_numeric(column)
    except (ValueError, TypeError):
        return column


def keep_wheel(workspace: Workspace, file_path: str | os.PathLike[str], exist_ok: bool) -> str:
    """A copy in the workspace's storage; its path is a requirement that pip takes."""
    source = Path(file_path)
    place = Datastore(workspace, None).place(Path("wheels") / source.name)
    if place.exists() and not exist_ok:
        raise UserErrorException(f"{source.name} was added already: pass exist_ok=True.", code="FileExists")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, place)
    project: str = source.name.partition("-")[0]
    return f"{project} @ {place.as_uri()}"
