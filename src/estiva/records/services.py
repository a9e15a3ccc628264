"""What users deploy: a service, and the generations that it went through."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Literal

from pydantic import Field, SecretStr

from estiva.records.assets import EnvironmentSpecification
from estiva.records.autoscaling import Scaling
from estiva.records.base import Record, now
from estiva.records.content import Tree
from estiva.records.evidence import Evidence, Finding, StepName
from estiva.records.probes import Probe
from estiva.records.publications import Publication

ServiceKind = Literal["local", "container", "kubernetes", "endpoint"]
"""What scripts know as LocalWebservice, AciWebservice, AksWebservice and AksEndpoint."""

TargetKind = Literal["process", "docker"]
"""Where replicas run: the name of a module in `estiva.targets`."""

_DEBUGGED_SECONDS = 24 * 3600

Runtime = Literal["auto", "process", "docker"]
"""Where a user wants them to: "auto" means a container if the environment asks for one, else a process."""


StopAfter = Literal["environment", "image", "start", "init"]
"""A step of a deployment."""


class ServiceKey(Record):
    workspace: str
    service: str
    version: str | None = None
    """Which version, where `service` is an endpoint."""

    def __str__(self) -> str:
        return "/".join(part for part in (self.workspace, self.service, self.version) if part)


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
    """Path of the entry script in the app root: "score.py", or "source/score.py" with a source directory.

    A script of the server's own has its module's name, and no files: contract.NO_CODE_SCRIPTS."""
    entry_path: str
    """The user's own file; "" for a script of the server's own."""
    source_directory: str | None = None
    """The user's own folder, if a whole folder was shipped."""

    @property
    def source_root(self) -> str | None:
        """The source directory's place in the app root."""
        return self.entry_script.split("/", 1)[0] if self.source_directory else None


class Debugger(Record):
    """How a debugger reaches a service: at its first replica, which then gets all requests."""

    port: int
    """On 127.0.0.1."""
    wait: bool = False
    """Whether the script is loaded only when a debugger has attached."""


class ServiceSettings(Record):
    """How each replica of a generation is limited. Times in milliseconds, sizes in bytes."""

    runtime: Runtime = "auto"
    scoring_timeout_ms: int = 60_000
    init_timeout_seconds: float = 600.0
    """How long a replica may take from its start until init() has returned."""
    replica_max_concurrent_requests: int = 1
    max_request_wait_time: int = 500
    body_limit: int = 100 * 1024 * 1024
    probe: Probe = Probe()
    debug: bool = False
    until: StopAfter | None = None
    """The step after which a deployment stops, to be looked at."""
    debugger: Debugger | None = None
    cpu_limit: float | None = None
    """Processors that a replica may use at most, where that can be enforced: in containers. None: all."""
    memory_limit: int | None = None
    """Bytes that a replica may use at most, where that can be enforced: in containers. None: all."""
    gpus: int = 0
    cpu_reserved: float | None = None
    """Processors that each replica is to have; None: nobody said."""
    memory_reserved: int | None = None
    """Bytes that each replica is to have; None: nobody said."""

    @property
    def answer_ms(self) -> int:
        """How long an answer may take: with a debugger, as long as somebody may look at a breakpoint."""
        return _DEBUGGED_SECONDS * 1000 if self.debugger else self.scoring_timeout_ms

    @property
    def start_seconds(self) -> float:
        """How long a replica may take until it is ready."""
        return _DEBUGGED_SECONDS if self.debugger else self.init_timeout_seconds


class NoCode(Record):
    """How a service without a score script of the user's came to be."""

    framework: str
    """Of its model; the server has the script for it."""
    notice: str | None
    """What environment was chosen and why; None if the user gave it."""


class DeploymentSpec(Record):
    """Everything that one generation of a service is."""

    target: TargetKind = "process"
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
    no_code: NoCode | None = None
    """Set when the code is not the user's, but one of the server's own scripts."""


class Step(Record):
    """One stage of a deployment, as far as it got."""

    name: StepName
    state: Literal["running", "succeeded", "failed"] = "running"
    started: datetime = Field(default_factory=now)
    seconds: float | None = None
    detail: str = ""


class GenerationState(str, Enum):
    PENDING = "pending"
    HEALTHY = "healthy"
    FAILED = "failed"
    HELD = "held"
    """It stopped after the step that it was to stop after, and is left as it is."""
    SUPERSEDED = "superseded"


class Generation(Record):
    number: int
    state: GenerationState
    spec: DeploymentSpec
    reason: Literal["deploy", "update", "reload"] = "deploy"
    image: str = ""
    """What its containers are made of, once it was built; empty where they are processes."""
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
    kind: ServiceKind = "local"
    targets: tuple[TargetKind, ...] = ("process",)
    """Where any of its generations runs, or ran."""
    state: ServiceState
    publication: Publication | None = None
    """None for a version of an endpoint, which is published as a whole."""
    scaling: Scaling = Scaling()
    desired: int
    """Number of the newest accepted generation."""
    serving: int | None = None
    """Number of the newest generation that became healthy."""
    description: str | None = None
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    created_time: datetime = Field(default_factory=now)
    updated_time: datetime = Field(default_factory=now)
