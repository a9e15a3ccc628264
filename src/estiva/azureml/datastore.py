"""azureml.core.datastore: the workspace's folders for files, under the names that every workspace has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estiva.azureml import storage
from estiva.errors import UserErrorException

if TYPE_CHECKING:
    from estiva.azureml.workspace import Workspace

DEFAULT = "workspaceblobstore"
_NAMES = (DEFAULT, "workspacefilestore")


class DataPath:
    """A place in a datastore."""

    def __init__(self, datastore: Datastore, path_on_datastore: str = "", name: str | None = None) -> None:
        self.datastore = datastore
        self.path_on_datastore = path_on_datastore
        self.name = name


class Datastore:
    """A folder in the workspace's storage. Raises UserErrorException for any but the two that there are."""

    def __init__(self, workspace: Workspace, name: str | None = None) -> None:
        self.workspace = workspace
        self.name = name or DEFAULT
        if self.name not in _NAMES:
            raise UserErrorException(
                f"There is no datastore {self.name!r}: a workspace has {' and '.join(_NAMES)}, which are "
                "folders on this machine. Copy the files there with upload_files, or give their paths.",
                code="DatastoreNotFound",
            )
        self.datastore_type = "AzureBlob"
        self.is_default = self.name == DEFAULT

    @staticmethod
    def get(workspace: Workspace, datastore_name: str) -> Datastore:
        return Datastore(workspace, datastore_name)

    @staticmethod
    def get_default(workspace: Workspace) -> Datastore:
        return Datastore(workspace)

    @staticmethod
    def list(workspace: Workspace) -> dict[str, Datastore]:
        return {name: Datastore(workspace, name) for name in _NAMES}

    @staticmethod
    def register_azure_blob_container(*_: Any, **__: Any) -> Datastore:
        raise _refused("register_azure_blob_container")

    @staticmethod
    def register_azure_file_share(*_: Any, **__: Any) -> Datastore:
        raise _refused("register_azure_file_share")

    @staticmethod
    def register_azure_data_lake_gen2(*_: Any, **__: Any) -> Datastore:
        raise _refused("register_azure_data_lake_gen2")

    @property
    def folder(self) -> Path:
        return storage.folder(self.workspace.name, "datastores", self.name)

    def place(self, path: str | os.PathLike[str]) -> Path:
        """Raises UserErrorException for a path that leads out of the datastore."""
        found = (self.folder / os.fspath(path).lstrip("/")).resolve()
        if not found.is_relative_to(self.folder.resolve()):
            raise UserErrorException(f"{path} leads out of the datastore.", code="NameInvalid")
        return found

    def path(self, path: str | None = None, **_: Any) -> DataPath:
        return DataPath(self, path or "")

    def upload_files(
        self,
        files: Sequence[str],
        relative_root: str | None = None,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataPath:
        for file in files:
            inside = os.path.relpath(file, relative_root) if relative_root else Path(file).name
            self._copy(Path(file), self.place(Path(target_path or "") / inside), overwrite)
        if show_progress:
            print(f"Uploaded {len(files)} files to {self.name}/{target_path or ''}")
        return DataPath(self, target_path or "")

    def upload(
        self,
        src_dir: str,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataPath:
        files = [str(path) for path in Path(src_dir).rglob("*") if path.is_file()]
        return self.upload_files(files, src_dir, target_path, overwrite, show_progress)

    def download(
        self,
        target_path: str,
        prefix: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,  # noqa: ARG002
    ) -> int:
        """How many files it wrote."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        chosen = [path for path in files if path.relative_to(self.folder).as_posix().startswith(prefix or "")]
        for path in chosen:
            self._copy(path, Path(target_path) / path.relative_to(self.folder), overwrite)
        return len(chosen)

    @staticmethod
    def _copy(source: Path, target: Path, overwrite: bool) -> None:
        """What is there already stays, unless it is to be replaced."""
        if target.exists() and not overwrite:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _refused(name: str) -> UserErrorException:
    return UserErrorException(
        f"Datastore.{name} is not available: datastores are folders on this machine. Download the files with "
        "your cloud's own tools and use their paths.",
        code="NotAvailable",
    )
