"""What targets are handed, and what they say of what runs."""

from __future__ import annotations

from enum import Enum

from pydantic import SecretStr

from estiva.records.base import Record
from estiva.records.services import ServiceKey, ServiceSettings, TargetKind


class Mount(Record):
    """A folder that a replica sees below its app root."""

    source: str
    target: str
    """Relative to the app root; "." is the app root itself."""
    writable: bool
    """Copied for the replica, so that it may change it; else shared with others where that is possible."""


class Launch(Record):
    """What a target needs to bring up a generation."""

    key: ServiceKey
    generation: int
    target: TargetKind = "process"
    replicas: int
    python: str = ""
    """For a target that runs a venv: its interpreter, in which `python -m estiva_server` works."""
    debugpy: str = ""
    """For a venv in debug mode: a folder that has debugpy; empty if the venv has it."""
    image: str = ""
    """For a target that runs images: its id, or its name with a digest."""
    mounts: tuple[Mount, ...]
    entry_script: str
    """Relative to the app root."""
    source_root: str | None = None
    model_dir: str
    """Value of AZUREML_MODEL_DIR: relative to the app root."""
    variables: dict[str, str] = {}
    secrets: dict[str, SecretStr] = {}
    settings: ServiceSettings = ServiceSettings()
    address: str | None = None
    """Where the (only) replica is to listen, "127.0.0.1:8890"; None lets the target choose a private one."""


class Entrance(Record):
    """How to run a command where a replica runs, or would."""

    program: tuple[str, ...] = ()
    """What runs the command in there; nothing on this machine itself."""
    folder: str = ""
    """Where to begin: the app root. Empty where the program sees to it."""
    variables: dict[str, str] = {}
    """The command's environment; without the service's secrets."""


class ReplicaPhase(str, Enum):
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    EXITED = "exited"
    """It ended by itself or by a signal, and will not come back."""


class Replica(Record):
    """One replica as the target sees it."""

    generation: int
    index: int
    phase: ReplicaPhase
    address: str
    """"unix:/path" or "host:port", for the gateway and the health check."""
    exit_code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False
    """It was ended because it used more memory than its limit."""
    reason: str = ""
    restarts: int = 0
    capacity: int = 0
    """Requests that it takes at a time, by its own word: 0 if it was never ready, or none can tell."""


class Observation(Record):
    key: ServiceKey
    replicas: tuple[Replica, ...] = ()
    trouble: str = ""
    """Why the replicas cannot be seen now; they are then those that were seen last."""

    def of(self, generation: int) -> tuple[Replica, ...]:
        return tuple(replica for replica in self.replicas if replica.generation == generation)
