"""What clients and the control server say to each other: requests, answers, and lines of streamed answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field, SecretStr

from estiva.records import (
    Certificate,
    EnvironmentSpecification,
    Evidence,
    Finding,
    Generation,
    Lock,
    Record,
    Replica,
    Service,
    ServiceKind,
    ServiceSettings,
    ServiceState,
)


class ServerStatus(Record):
    """Who answers on the socket. Also read from servers of other releases, which may say more, or less."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    pid: int
    home: str = ""
    seconds_up: float = 0
    services: int = 0
    gateway: str = ""
    """What publishes the services: HAProxy and where it is, or why there is none."""


class ModelRegistration(Record):
    name: str
    path: str
    """Absolute path of the file or folder, on the machine of the control server."""
    child_paths: tuple[str, ...] | None = None
    description: str | None = None
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    framework: str | None = None
    framework_version: str | None = None
    experiment_name: str | None = None
    run_id: str | None = None
    created_by: str = ""


class ModelChange(Record):
    """None leaves a field as it is; tags are replaced, properties only added."""

    tags: dict[str, str] | None = None
    description: str | None = None
    add_properties: dict[str, str] | None = None


class WorkspaceChange(Record):
    """None leaves a setting as it is, an empty text takes it away."""

    base_image: str | None = None
    registry: str | None = None


class BuildContextRequest(Record):
    path: str
    """Absolute path of the folder, on the machine of the control server."""
    dockerfile: str


class EnvironmentBuild(Record):
    specification: EnvironmentSpecification
    version: str | None = None
    """The registered version that it came from."""
    interpreter: str
    offline: bool = False
    """Only from what is on this machine."""

    def body(self) -> dict[str, Any]:
        """As JSON, with the password of the base image's registry in clear."""
        return self.model_dump(mode="json", context={"reveal": True})


class BuiltEnvironment(Record):
    python: str
    packages: tuple[str, ...]
    notices: tuple[str, ...] = ()


class EnvironmentImage(Record):
    """The image of an environment alone, which those of deployments are built upon."""

    image: str
    """Its name in the local engine."""
    exists: bool
    dockerfile: str
    """The one Dockerfile that makes all of it."""
    python: str
    """Its interpreter, in the image."""


class LockRequest(Record):
    """The lock of a registered environment: made now, unless its version has one for the platform."""

    interpreter: str
    version: str | None = None
    """Else its newest."""
    platform: str | None = None
    """As conda or Docker calls it; None means that of the control server's machine."""
    pylock: bool = False
    """Whether the answer has the lock as a pylock.toml too."""


class UpdateRequest(Record):
    """A new version of an environment, with newer packages."""

    interpreter: str
    packages: tuple[str, ...] = ()
    """Those that may change, and what they need; none: all."""


class LockedEnvironment(Record):
    name: str
    version: str
    lock: Lock
    changes: tuple[str, ...] = ()
    """What an update changed, one line each."""
    pylock: str = ""


class EnvironmentInference(Record):
    """What a score script and a model need, as far as they and the running environment say."""

    name: str
    interpreter: str
    entry_script: str
    """Absolute path."""
    model: str | None = None
    """Absolute path of a file or folder."""


class InferredEnvironment(Record):
    specification: EnvironmentSpecification
    notices: tuple[str, ...]


class BundleExport(Record):
    """A registered environment as one file, for machines without a network."""

    interpreter: str
    path: str
    """Absolute, on the machine of the control server."""
    version: str | None = None


class BundleImport(Record):
    interpreter: str
    path: str
    name: str | None = None
    """Else that in the bundle."""


class ImportedEnvironment(Record):
    name: str
    version: str
    python: str
    packages: tuple[str, ...]


class Freed(Record):
    """A folder or file that went, or would."""

    kind: str
    name: str
    bytes: int


class PruneResult(Record):
    freed: tuple[Freed, ...]


class ModelReference(Record):
    """A registered model by name (and version, else the newest), or a path that was not registered."""

    name: str | None = None
    version: int | None = None
    path: str | None = None
    framework: str | None = None
    """Instead of the one that it is registered with."""


class CertificateRequest(Record):
    """A TLS certificate and its key, both PEM."""

    chain: str
    private_key: SecretStr
    name: str | None = None
    """Of the host; None: the first name in the certificate, or in an update, as it is."""

    def body(self) -> dict[str, Any]:
        """As JSON, with the key in clear."""
        return {**self.model_dump(mode="json"), "private_key": self.private_key.get_secret_value()}


class PublicationRequest(Record):
    """Where a service is to be published; None leaves a part as it is, or the choice to Estiva."""

    host: str | None = None
    port: int | None = None
    auth_enabled: bool | None = None
    token_auth_enabled: bool | None = None
    primary_key: SecretStr | None = None
    secondary_key: SecretStr | None = None
    requests_per_second: int | None = Field(default=None, ge=0)
    """0: no limit any more."""
    ssl_enabled: bool | None = None
    certificate: CertificateRequest | None = None

    def body(self) -> dict[str, Any]:
        """As JSON, with the keys in clear."""
        keys = {"primary_key": self.primary_key, "secondary_key": self.secondary_key}
        clear: dict[str, Any] = {
            name: key.get_secret_value() for name, key in keys.items() if key is not None
        }
        if self.certificate is not None:
            clear["certificate"] = self.certificate.body()
        return {**self.model_dump(mode="json"), **clear}


class ScalingRequest(Record):
    """How many replicas are wanted; None leaves a part as it is, or in a new deployment, to the kind."""

    replicas: int | None = Field(default=None, ge=1)
    """A number that stays, whatever the load: ends autoscaling."""
    autoscale: bool | None = None
    min_replicas: int | None = Field(default=None, ge=0)
    max_replicas: int | None = Field(default=None, ge=1)
    refresh_seconds: float | None = Field(default=None, gt=0)
    target_utilization: float | None = Field(default=None, gt=0)
    """A fraction."""
    idle_seconds: float | None = Field(default=None, ge=0)

    @property
    def bounds(self) -> dict[str, Any]:
        """What of an AutoscalePolicy was given."""
        return self.model_dump(exclude={"replicas", "autoscale"}, exclude_none=True)


class KeyRequest(Record):
    """A key to take the place of one; None: a new random one."""

    key: SecretStr | None = None


class KeysView(Record):
    """The one answer that has keys in it, for whoever asks for nothing else."""

    primary: str
    secondary: str


class TokenView(Record):
    """A token, and when to ask for another one. Times are of UTC."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105  no secret
    refresh_after: datetime
    expiry_on: datetime


class DeploymentRequest(Record):
    """A service as it is wanted. In an update, None leaves a part as it is."""

    kind: ServiceKind | None = None
    """None in a new deployment: "local". A service keeps its kind for life."""
    models: tuple[ModelReference, ...] | None = None
    entry_script: str | None = None
    """Absolute path of the entry script; None in a new deployment: the server has one for the model."""
    source_directory: str | None = None
    """Absolute path of the folder that ships with it."""
    environment: EnvironmentSpecification | None = None
    """None in a new deployment, or with a new entry script: the packages that the user runs now.

    Without an entry script: what the model needs."""
    environment_version: str | None = None
    interpreter: str
    settings: ServiceSettings | None = None
    publication: PublicationRequest | None = None
    scaling: ScalingRequest | None = None
    variables: dict[str, str] | None = None
    secrets: dict[str, SecretStr] | None = None
    overwrite: bool = False
    description: str | None = None
    tags: dict[str, str] | None = None
    properties: dict[str, str] | None = None

    @property
    def keeps_what_runs(self) -> bool:
        """Whether neither models nor a script was given, so that there may be no need to start anything."""
        return self.models is None and self.entry_script is None

    def body(self) -> dict[str, Any]:
        """As JSON, with the secrets in clear: for the owner-only socket and nothing else."""
        content = self.model_dump(mode="json", context={"reveal": True})
        if self.secrets is not None:
            content["secrets"] = {name: value.get_secret_value() for name, value in self.secrets.items()}
        if self.publication is not None:
            content["publication"] = self.publication.body()
        return content


class TrialRequest(DeploymentRequest):
    """init() and one run() in the environment, without deploying."""

    data: str


class TrialResult(Record):
    status: int
    body: str
    seconds: float
    log: tuple[str, ...]


class PackageRequest(DeploymentRequest):
    """An image of models and a score script, or the Dockerfile that makes it."""

    generate_dockerfile: bool = False
    image_name: str | None = None
    image_label: str | None = None


class PackageResult(Record):
    digest: str
    """Of all that the package is made from."""
    dockerfile: str
    location: str = ""
    """The image: its name in the local engine, or with its digest in the registry that it was pushed to."""
    registry: str = ""
    """Where it was pushed; empty: it is in the local engine alone."""


class ImagePull(Record):
    location: str


class DebugRequest(Record):
    """A debugger is to be able to attach to a service."""

    port: int | None = Field(default=None, ge=1, le=65535)
    """On 127.0.0.1; None: as before, else the usual one, or a free one."""
    wait: bool = False
    """Load the script only when it has."""


class VersionRequest(Record):
    """A version of an endpoint as it is wanted. In an update, None leaves a part as it is."""

    deployment: DeploymentRequest
    traffic_percentile: int | None = None
    """Percent of the requests; in force when the version is healthy."""
    mirror_percentile: int | None = None
    """Percent of the others' requests of which it gets a copy."""
    is_default: bool | None = None
    is_control: bool | None = None

    @property
    def changes_what_runs(self) -> bool:
        """Whether anything of the deployment was given, beside how it would be published."""
        given = self.deployment.model_dump(exclude_none=True)
        return bool(given.keys() - {"interpreter", "kind", "publication", "overwrite"})

    @property
    def changes_traffic(self) -> bool:
        given = (self.traffic_percentile, self.mirror_percentile, self.is_default, self.is_control)
        return any(part is not None for part in given)

    def body(self) -> dict[str, Any]:
        """As JSON, with the secrets in clear."""
        return {**self.model_dump(mode="json", exclude={"deployment"}), "deployment": self.deployment.body()}


class EndpointRequest(VersionRequest):
    """An endpoint with its first version."""

    version: str


class TrafficRequest(Record):
    """How an endpoint's requests are to be divided among its versions."""

    shares: dict[str, int] = {}
    """Percent by version; the others keep theirs, and the default one takes the rest."""
    default: str | None = None


class EndpointChange(Record):
    """None leaves a part of an endpoint as it is."""

    publication: PublicationRequest | None = None
    sticky_header: str | None = None
    """Requests with the same value of it go to the same version; "" for none."""
    description: str | None = None
    tags: dict[str, str] | None = None
    properties: dict[str, str] | None = None

    def body(self) -> dict[str, Any]:
        """As JSON, with the keys in clear."""
        publication = None if self.publication is None else self.publication.body()
        return {**self.model_dump(mode="json"), "publication": publication}


class ServiceView(Record):
    """A service with its newest generation, the one that serves, and what runs.

    Of an endpoint, these are its default version's.
    """

    service: Service
    scoring_uri: str
    """Where it answers once a generation serves."""
    local_uri: str
    """The same as programs of this machine reach it, which may not know the name in a certificate."""
    certificate: Certificate | None = None
    """Of the port that it is published on."""
    desired: Generation
    serving: Generation | None = None
    replicas: tuple[Replica, ...] = ()
    trouble: str = ""
    """Why the replicas cannot be seen now."""
    versions: tuple[VersionView, ...] = ()
    """Those of an endpoint, the oldest first."""
    sticky_header: str | None = None


class VersionView(Record):
    """A version of an endpoint, with its share of the requests as it is now."""

    name: str
    traffic_percentile: int
    mirror_percentile: int = 0
    is_default: bool
    is_control: bool
    view: ServiceView


class Diagnosis(Record):
    """What is wrong with a service, as far as anything tells."""

    service: str
    state: ServiceState
    generation: int
    serving: int | None
    findings: tuple[Finding, ...]
    """The most certain first; none: nothing is known to be wrong."""
    evidence: tuple[Evidence, ...]
    """Of the newest generation if it failed, and of the one that serves."""


class Problem(Record):
    """An error as it travels: the class in errors.py, and what that carries."""

    type: str
    code: str
    message: str
    detail: str = ""


class Progress(Record):
    """A line of a streamed answer: how far it got, at last the result or the problem."""

    kind: Literal["message", "bytes", "result", "problem"] = "message"
    message: str = ""
    done: int = 0
    total: int = 0
    result: dict[str, Any] | None = None
    problem: Problem | None = Field(default=None)
