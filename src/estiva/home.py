"""Where Estiva keeps its state on this machine: one folder, `ESTIVA_HOME`, and a short one for sockets."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

HOME_VARIABLE = "ESTIVA_HOME"

# A Unix socket's path and the zero after it have at most 108 bytes on Linux and 104 on macOS; the longest
# name that we add to the folder has 32, and a slash before it.
_LONGEST_RUNTIME_FOLDER = 104 - 1 - 32 - 1


@dataclass(frozen=True)
class Home:
    """The folders and files below one `ESTIVA_HOME`. Nothing here touches the disk but `create()`."""

    root: Path

    @classmethod
    def current(cls) -> Home:
        """`ESTIVA_HOME` if it is set, else the user's data folder."""
        chosen = os.environ.get(HOME_VARIABLE)
        return cls(Path(chosen).expanduser().absolute() if chosen else platformdirs.user_data_path("estiva"))

    def create(self) -> Home:
        """Makes the folders, readable by their owner alone; idempotent."""
        for folder in (self.root, self.logs, self.runtime):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # In a folder where everybody may write, somebody else may have been here first, with a link even.
        found = self.runtime.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError(f"{self.runtime} is not a folder of yours")
        self.runtime.chmod(0o700)
        with suppress(FileExistsError), self.identity.open("x") as file:
            file.write(uuid.uuid4().hex)
        return self

    @property
    def database(self) -> Path:
        return self.root / "estiva.db"

    @property
    def identity(self) -> Path:
        """The file with this home's mark on what it has elsewhere: in a container engine, on a cluster."""
        return self.root / "identity"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def checkouts(self) -> Path:
        return self.root / "checkouts"

    @property
    def environments(self) -> Path:
        return self.root / "environments"

    @property
    def packages(self) -> Path:
        return self.root / "packages"

    @property
    def replicas(self) -> Path:
        return self.root / "replicas"

    @property
    def gateways(self) -> Path:
        return self.root / "gateways"

    def storage(self, workspace: str) -> Path:
        """What belongs to a workspace and has no place in the registry: collected data, runs, datasets."""
        return self.root / "storage" / workspace

    def collected(self, workspace: str, service: str) -> Path:
        """What the score script of a service has collected."""
        return self.storage(workspace) / "collected" / service

    @property
    def secrets(self) -> Path:
        """Private keys, in a folder for each workspace; none of them is in the database."""
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def control_log(self) -> Path:
        return self.logs / "control.log"

    @property
    def control_lock(self) -> Path:
        return self.root / "control.lock"

    @property
    def runtime(self) -> Path:
        """Folder of the sockets: `run` in the home, or a short one of this user's where that is too long."""
        folder = self.root / "run"
        if len(os.fsencode(folder)) <= _LONGEST_RUNTIME_FOLDER:
            return folder
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"estiva-{os.getuid()}-{digest}"

    @property
    def control_socket(self) -> Path:
        return self.runtime / "control.sock"
