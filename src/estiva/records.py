"""The frozen records that the stages exchange. Data, and properties that follow from it; no behaviour.

What a user asked for becomes a `Generation` (one accepted change of a service). Its models and code are
`Tree`s of content-addressed files, its environment an `EnvironmentSpecification` that resolves to a `Lock`.
A target is handed a `Launch`, and what runs comes back as an `Observation`; the gateway is handed `Route`s.
What went wrong is `Evidence`, which diagnosis turns into `Finding`s.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from enum import Enum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def now() -> datetime:
    return datetime.now(timezone.utc)


# --- content ---------------------------------------------------------------------------------------------


class File(Record):
    path: str
    """Relative to the tree's root, with forward slashes; never absolute, never with `..`."""
    sha256: str
    size: int
    executable: bool = False


class Tree(Record):
    """A folder's content: its files, and its empty directories."""

    files: tuple[File, ...]
    directories: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """SHA-256 over the sorted entries: equal for equal content, whatever the file times."""
        entries = [["f", f.path, f.sha256, f.executable] for f in self.files]
        entries += [["d", path] for path in self.directories]
        return hashlib.sha256(json.dumps(sorted(entries, key=lambda e: str(e[1]))).encode()).hexdigest()


# --- workspace, models, environments ---------------------------------------------------------------------


class Workspace(Record):
    name: str
    subscription_id: str = ""
    resource_group: str = ""
    location: str = ""
    tags: dict[str, str] = {}
    created_time: datetime = Field(default_factory=now)


class Model(Record):
    """A registered, immutable file or folder."""

    name: str
    version: int
    tree: Tree
    description: str | None = None
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    framework: str | None = None
    framework_version: str | None = None
    experiment_name: str | None = None
    run_id: str | None = None
    created_by: str = ""
    created_time: datetime = Field(default_factory=now)

    @property
    def id(self) -> str:
        return f"{self.name}:{self.version}"


class EnvironmentSpecification(Record):
    """What a score script needs, as the user said it."""

    name: str
    python_version: str | None = None
    """"3.11", "3.11.7" or ">=3.10,<3.13"; None means the version of the interpreter that the user runs."""
    conda_packages: tuple[str, ...] = ()
    """Without python and pip themselves, in conda's notation ("numpy=1.26", "scipy>=1.10")."""
    pip_packages: tuple[str, ...] = ()
    pip_options: tuple[str, ...] = ()
    """Lines as in a requirements file: "--index-url URL", "--find-links PATH", ..."""
    channels: tuple[str, ...] = ()
    variables: dict[str, str] = {}
    borrowed_from: str | None = None
    """An interpreter whose installed packages are used as they are; set when no specification was given."""
    base_image: str | None = None
    base_dockerfile: str | None = None
    inferencing_stack_version: str | None = None


class Environment(Record):
    """A registered environment; versions are strings, as scripts expect."""

    name: str
    version: str
    specification: EnvironmentSpecification
    created_time: datetime = Field(default_factory=now)


class Lock(Record):
    """The exact packages that a specification resolved to on this platform."""

    python: str
    """Path of the interpreter that the environment is made from."""
    python_version: str
    """Its full version, "3.11.7"."""
    platform: str
    requirements: str
    """Requirements with hashes, as uv writes them; for a borrowed environment, what was installed there."""
    borrowed: bool = False
    notices: tuple[str, ...] = ()
    """Sentences that the user should read: what was substituted, and why."""

    @property
    def digest(self) -> str:
        """Names the built environment: same digest, same environment."""
        content = [self.python, self.python_version, self.platform, self.requirements, self.borrowed]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


# --- services --------------------------------------------------------------------------------------------


class ServiceKey(Record):
    workspace: str
    service: str

    def __str__(self) -> str:
        return f"{self.workspace}/{self.service}"


class ModelMount(Record):
    """A model in a service: its content, and where that is put in the app root."""

    name: str
    version: int
    """0 for a path that was deployed without being registered."""
    tree: Tree

    @property
    def path(self) -> str:
        return f"azureml-models/{self.name}/{self.version}"


class Code(Record):
    """The user's scripts as they were when the generation was accepted, and where `reload` finds them."""

    tree: Tree
    """Relative to the app root."""
    entry_script: str
    """Path of the entry script in the app root: "score.py", or "source/score.py" with a source directory."""
    entry_path: str
    """The user's own file."""
    source_directory: str | None = None
    """The user's own folder, if a whole folder was shipped."""

    @property
    def source_root(self) -> str | None:
        """The source directory's place in the app root."""
        return self.entry_script.split("/", 1)[0] if self.source_directory else None


class ServiceSettings(Record):
    """How a service is published and limited. Times in milliseconds, sizes in bytes."""

    port: int | None = None
    host: str = "127.0.0.1"
    replicas: int = 1
    scoring_timeout_ms: int = 60_000
    init_timeout_seconds: float = 600.0
    """How long a replica may take from its start until init() has returned."""
    replica_max_concurrent_requests: int = 1
    max_request_wait_time: int = 500
    body_limit: int = 100 * 1024 * 1024
    debug: bool = False


class DeploymentSpec(Record):
    """Everything that one generation of a service is."""

    models: tuple[ModelMount, ...]
    code: Code
    environment: EnvironmentSpecification
    environment_version: str | None = None
    interpreter: str
    """The interpreter that the user runs: what an environment without a Python version is made from."""
    settings: ServiceSettings = ServiceSettings()
    variables: dict[str, str] = {}
    secrets: dict[str, SecretStr] = {}
    """Variables whose values never show in output, logs or answers of the API."""


class StepName(str, Enum):
    VALIDATE = "validate"
    ENVIRONMENT = "environment"
    IMAGE = "image"
    SCHEDULE = "schedule"
    START = "start"
    INIT = "init"
    HEALTH = "health"
    ROUTE = "route"


class Step(Record):
    """One stage of a deployment, as far as it got."""

    name: StepName
    state: Literal["running", "succeeded", "failed"] = "running"
    started: datetime = Field(default_factory=now)
    seconds: float | None = None
    detail: str = ""


class Traceback(Record):
    """The last frame in the user's own code, and the exception, read from a Python traceback."""

    file: str
    line: int
    function: str
    source: str = ""
    exception: str
    message: str = ""


class Evidence(Record):
    """What was seen when a step failed; bounded in size."""

    step: StepName
    error: str = ""
    """The message of the exception that ended the step, if one did."""
    code: str = ""
    """Its stable code."""
    detail: str = ""
    exit_code: int | None = None
    signal: int | None = None
    log_tail: tuple[str, ...] = ()
    entry_script: str = ""
    packages: tuple[str, ...] = ()
    """Names and versions in the environment, "numpy==1.26.4"."""


class Finding(Record):
    """A diagnosed problem."""

    code: str
    title: str
    what: str
    why: str = ""
    evidence: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()
    certainty: float = 1.0
    """1 when the evidence proves it; findings are shown in descending order."""


class GenerationState(str, Enum):
    PENDING = "pending"
    HEALTHY = "healthy"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class Generation(Record):
    number: int
    state: GenerationState
    spec: DeploymentSpec
    reason: Literal["deploy", "update", "reload"] = "deploy"
    steps: tuple[Step, ...] = ()
    notices: tuple[str, ...] = ()
    evidence: Evidence | None = None
    findings: tuple[Finding, ...] = ()
    created_time: datetime = Field(default_factory=now)


class ServiceState(str, Enum):
    """States of SDK v1's cloud services; the SDK shows a Local service's with the words of that kind."""

    TRANSITIONING = "Transitioning"
    HEALTHY = "Healthy"
    UNHEALTHY = "Unhealthy"
    FAILED = "Failed"
    UNSCHEDULABLE = "Unschedulable"
    DELETING = "Deleting"


class Service(Record):
    """A service and where it stands: the newest generation asked for, and the one that serves."""

    key: ServiceKey
    kind: Literal["local"] = "local"
    state: ServiceState
    port: int
    host: str = "127.0.0.1"
    desired: int
    """Number of the newest accepted generation."""
    serving: int | None = None
    """Number of the newest generation that became healthy."""
    description: str | None = None
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    created_time: datetime = Field(default_factory=now)
    updated_time: datetime = Field(default_factory=now)


# --- targets and gateway ---------------------------------------------------------------------------------


class Mount(Record):
    """A folder that a replica sees below its app root."""

    source: str
    target: str
    """Relative to the app root; "." is the app root itself."""
    writable: bool
    """Copied for the replica, so that it may change it; else shared with all others."""


class Launch(Record):
    """What a target needs to bring up a generation."""

    key: ServiceKey
    generation: int
    replicas: int
    python: str
    """Interpreter of the built environment, in which `python -m estiva_server` works."""
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
    reason: str = ""
    restarts: int = 0


class Observation(Record):
    key: ServiceKey
    replicas: tuple[Replica, ...] = ()

    def of(self, generation: int) -> tuple[Replica, ...]:
        return tuple(replica for replica in self.replicas if replica.generation == generation)


class Endpoint(Record):
    """One server behind a route: a replica's address under a name that is unique in the route."""

    name: str
    """"g3-0": generation 3, replica 0."""
    address: str


class Route(Record):
    """A published port and the replicas behind it."""

    service: str
    host: str
    port: int
    endpoints: tuple[Endpoint, ...]
    concurrency: int
    """Requests that one replica handles at a time; the rest wait."""
    wait_ms: int
    timeout_ms: int
    """The server's own deadline; the gateway's fires a grace time later."""
    body_limit: int
