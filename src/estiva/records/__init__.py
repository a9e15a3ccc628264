"""The frozen records that the stages exchange. Data, and properties that follow from it; no behaviour.

What a user asked for becomes a `Generation` (one accepted change of a service, or of a version of an
`Endpoint`). Its models and code are
`Tree`s of content-addressed files, its environment an `EnvironmentSpecification` that resolves to a `Lock`.
A target is handed a `Launch`, and what runs comes back as an `Observation`; the gateway is handed `Route`s,
and autoscaling a `LoadSample`.
What went wrong is `Evidence`, which diagnosis turns into `Finding`s.
"""

from __future__ import annotations

from estiva.records.assets import (
    BuildContext,
    CondaPackage,
    ContainerRegistry,
    Environment,
    EnvironmentSpecification,
    Lock,
    Model,
    Resolver,
    Workspace,
)
from estiva.records.autoscaling import AutoscalePolicy, LoadSample, Scaling
from estiva.records.base import Record, now
from estiva.records.content import File, Tree
from estiva.records.endpoints import Endpoint, EndpointVersion
from estiva.records.evidence import (
    Answers,
    Evidence,
    Finding,
    Limits,
    StepName,
    Traceback,
    Traffic,
)
from estiva.records.measures import Measures
from estiva.records.probes import Probe
from estiva.records.publications import Certificate, Credentials, Publication
from estiva.records.replicas import (
    Entrance,
    Launch,
    Mount,
    Observation,
    Replica,
    ReplicaPhase,
)
from estiva.records.routes import VERSION_HEADER, Access, Listener, Load, Member, Route, Version
from estiva.records.services import (
    Code,
    Debugger,
    DeploymentSpec,
    Generation,
    GenerationState,
    ModelMount,
    NoCode,
    Runtime,
    Service,
    ServiceKey,
    ServiceKind,
    ServiceSettings,
    ServiceState,
    Step,
    StopAfter,
    TargetKind,
)
from estiva.records.workloads import Workload

__all__ = [
    "VERSION_HEADER",
    "Access",
    "Answers",
    "AutoscalePolicy",
    "BuildContext",
    "Certificate",
    "Code",
    "CondaPackage",
    "ContainerRegistry",
    "Credentials",
    "Debugger",
    "DeploymentSpec",
    "Endpoint",
    "EndpointVersion",
    "Entrance",
    "Environment",
    "EnvironmentSpecification",
    "Evidence",
    "File",
    "Finding",
    "Generation",
    "GenerationState",
    "Launch",
    "Limits",
    "Listener",
    "Load",
    "LoadSample",
    "Lock",
    "Measures",
    "Member",
    "Model",
    "ModelMount",
    "Mount",
    "NoCode",
    "Observation",
    "Probe",
    "Publication",
    "Record",
    "Replica",
    "ReplicaPhase",
    "Resolver",
    "Route",
    "Runtime",
    "Scaling",
    "Service",
    "ServiceKey",
    "ServiceKind",
    "ServiceSettings",
    "ServiceState",
    "Step",
    "StepName",
    "StopAfter",
    "TargetKind",
    "Traceback",
    "Traffic",
    "Tree",
    "Version",
    "Workload",
    "Workspace",
    "now",
]
