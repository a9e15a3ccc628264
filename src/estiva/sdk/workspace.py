"""Workspaces: the unit of ownership, and the files that name one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estiva import records
from estiva.errors import UserErrorException, WebserviceException, WorkspaceException
from estiva.messages import WorkspaceChange
from estiva.sdk.connection import Connection, address, connect
from estiva.sdk.html import table
from estiva.sdk.tls import PemFile, certificate_request

if TYPE_CHECKING:
    from typing_extensions import Self

    from estiva.sdk.endpoint import Endpoint
    from estiva.sdk.environment import Environment
    from estiva.sdk.model import Model
    from estiva.sdk.webservice import Webservice

DEFAULT_NAME = "default"

_CONFIG_FOLDERS = (".azureml", "aml_config", "")
_CONFIG_NAMES = ("config.json", "project.json")
_SCOPE = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}"


class Workspace:
    """A workspace that exists. `subscription_id` and `resource_group` are kept for scripts that print them.

    Raises WorkspaceException if there is no workspace of that name.
    """

    def __init__(
        self, subscription_id: str | None, resource_group: str | None, workspace_name: str, auth: Any = None
    ) -> None:
        found = connect().request("GET", address("workspaces", workspace_name))
        self._record = records.Workspace.model_validate(found)
        self._given = (subscription_id, resource_group, auth)

    # --- making and finding --------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        create_resource_group: bool = True,  # noqa: ARG003  nothing to create here
        sku: str = "basic",  # noqa: ARG003
        tags: dict[str, str] | None = None,
        *,
        exist_ok: bool = False,
        show_output: bool = True,
        **_cloud: Any,
    ) -> Self:
        """Makes a workspace; only the name is needed. What belongs to the cloud is accepted and not used."""
        record = records.Workspace(
            name=name,
            subscription_id=subscription_id or "",
            resource_group=resource_group or "",
            location=location or "",
            tags=tags or {},
        )
        try:
            connect().request("POST", "/workspaces", body=record.model_dump(mode="json"))
        except WorkspaceException as error:
            if not (exist_ok and error.code == "WorkspaceExists"):
                raise
        else:
            if show_output:
                print(f"Workspace {name} created.")
        return cls(subscription_id, resource_group, name, auth)

    @classmethod
    def get(
        cls,
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,  # noqa: ARG003
        **_cloud: Any,
    ) -> Self:
        return cls(subscription_id, resource_group, name, auth)

    @classmethod
    def list(
        cls,
        subscription_id: str | None = None,  # noqa: ARG003
        auth: Any = None,
        resource_group: str | None = None,  # noqa: ARG003
    ) -> dict[str, list[Self]]:
        """Name -> workspaces of that name (one), as scripts expect."""
        found = connect().request("GET", "/workspaces")
        return {item["name"]: [cls(None, None, item["name"], auth)] for item in found}

    @classmethod
    def default(cls) -> Self:
        """The workspace "default", made on first use."""
        return cls.create(DEFAULT_NAME, exist_ok=True, show_output=False)

    @classmethod
    def from_config(cls, path: str | None = None, auth: Any = None, **_private: Any) -> Self:
        """The workspace that a `config.json` names: `path` itself, or searched from there upwards.

        Looks in `.azureml/`, `aml_config/` and the folder itself. Raises UserErrorException if no file is
        found or it names no workspace, WorkspaceException if the workspace does not exist.
        """
        file = find_config(Path(path) if path else Path.cwd())
        subscription, group, name = read_config(file)
        try:
            return cls(subscription, group, name, auth)
        except WorkspaceException as error:
            raise WorkspaceException(
                f"{file} names the workspace {name!r}, which does not exist here. "
                f"Make it with Workspace.create({name!r}) or `estiva workspace create {name}`.",
                code=error.code,
            ) from error

    def write_config(self, path: str | None = None, file_name: str | None = None) -> None:
        """Writes the file that `from_config` finds, below `path` (default: the current folder)."""
        base = Path(path) if path else Path.cwd()
        folder = base / ("aml_config" if (base / "aml_config").is_dir() else ".azureml")
        folder.mkdir(parents=True, exist_ok=True)
        scope = _SCOPE.format(self.subscription_id, self.resource_group, self.name)
        content = json.dumps({"Id": None, "Scope": scope}, indent=2)
        (folder / (file_name or "config.json")).write_text(content + "\n")

    def delete(self, delete_dependent_resources: bool = False, no_wait: bool = False) -> None:  # noqa: ARG002
        """Deletes the workspace; refused while it has services."""
        self._connection.request("DELETE", address("workspaces", self.name))

    # --- what its services share ---------------------------------------------------------------------

    def enable_ssl(
        self,
        ssl_cname: str | None = None,
        ssl_cert_pem_file: PemFile | None = None,
        ssl_key_pem_file: PemFile | None = None,
    ) -> None:
        """The port that Kubernetes services share speaks TLS alone from now on, or has another certificate.

        `ssl_cname` is the host name in their addresses; None: the first of the certificate, or as it is.
        Raises WebserviceException if the files are no certificate and key that callers would accept.
        """
        wanted = certificate_request(ssl_cert_pem_file, ssl_key_pem_file, ssl_cname)
        if wanted is None:
            raise WebserviceException(
                "TLS needs a certificate: give ssl_cert_pem_file and ssl_key_pem_file.",
                code="CertificateMissing",
            )
        self._secure("PUT", wanted.body())

    def disable_ssl(self) -> None:
        """That port speaks HTTP again. Idempotent."""
        self._secure("DELETE")

    @property
    def certificate(self) -> records.Certificate | None:
        """Of that port, as it was last seen."""
        return self._record.certificate

    def _secure(self, method: str, body: Any = None) -> None:
        changed = connect().request(method, address("workspaces", self.name) + "/certificate", body=body)
        self._record = records.Workspace.model_validate(changed)

    # --- what its images share -----------------------------------------------------------------------

    @property
    def base_image(self) -> str | None:
        """What images are built upon whose environment does not say, as it was last seen."""
        return self._record.base_image

    @property
    def registry(self) -> str | None:
        """Where packages are pushed, as it was last seen; None: they stay in the local engine."""
        return self._record.registry

    def set_image_defaults(self, base_image: str | None = None, registry: str | None = None) -> None:
        """Changes what is given: "python:{python}-slim", "registry.example.org/team"; "" takes it away."""
        wanted = WorkspaceChange(base_image=base_image, registry=registry)
        changed = connect().request("PATCH", address("workspaces", self.name), body=wanted.model_dump())
        self._record = records.Workspace.model_validate(changed)

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self._record.name

    @property
    def subscription_id(self) -> str:
        return self._given[0] or self._record.subscription_id

    @property
    def resource_group(self) -> str:
        return self._given[1] or self._record.resource_group

    @property
    def location(self) -> str:
        return self._record.location

    @property
    def tags(self) -> dict[str, str]:
        return dict(self._record.tags)

    def get_details(self) -> dict[str, Any]:
        return {
            "id": _SCOPE.format(self.subscription_id, self.resource_group, self.name),
            "name": self.name,
            "location": self.location,
            "tags": self.tags,
            "creationTime": self._record.created_time.isoformat(),
            "type": "Estiva/workspaces",
        }

    # --- what is in it -------------------------------------------------------------------------------

    @property
    def models(self) -> dict[str, Model]:
        """Name -> its newest version."""
        from estiva.sdk.model import Model

        return {model.name: model for model in Model.list(self, latest=True)}

    @property
    def environments(self) -> dict[str, Environment]:
        """Name -> its newest version."""
        from estiva.sdk.environment import Environment

        return Environment.list(self)

    @property
    def webservices(self) -> dict[str, Webservice]:
        """Name -> service, Local services included."""
        from estiva.sdk.webservice import Webservice

        return {service.name: service for service in Webservice.list(self)}

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """Name -> endpoint, with its versions. They are among the webservices, too."""
        from estiva.sdk.endpoint import Endpoint

        return {name: found for name, found in self.webservices.items() if isinstance(found, Endpoint)}

    @property
    def _connection(self) -> Connection:
        return connect()

    def _repr_html_(self) -> str:
        fields = {
            "models": sorted(self.models),
            "environments": sorted(self.environments),
            "services": sorted(self.webservices),
            "tags": self.tags,
        }
        return table(f"Workspace {self.name}", fields)

    def __repr__(self) -> str:
        return f"Workspace(name={self.name!r})"


def find_config(start: Path) -> Path:
    """`start` itself if it is a file; else the first configuration found from it upwards.

    Each kind of folder is searched all the way up before the next, as SDK v1 did.
    """
    if start.is_file():
        return start
    above = [start.resolve(), *start.resolve().parents]
    candidates = (
        folder / kind / name for kind in _CONFIG_FOLDERS for name in _CONFIG_NAMES for folder in above
    )
    found = next((file for file in candidates if file.is_file()), None)
    if found is None:
        raise UserErrorException(
            f"No config.json was found in {start} or above it, nor in .azureml or aml_config there. "
            "Write one with workspace.write_config(), or use Workspace.get(name).",
            code="ConfigNotFound",
        )
    return found


def read_config(file: Path) -> tuple[str, str, str]:
    """Subscription, resource group and workspace name, from either shape of the file."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserErrorException(f"{file} is not readable JSON: {error}.", code="ConfigInvalid") from error
    if isinstance(content, dict) and isinstance(content.get("Scope"), str):
        parts = content["Scope"].split("/")
        if len(parts) > 8 and parts[8]:
            return parts[2], parts[4], parts[8]
    elif (
        isinstance(content, dict)
        and content.get("workspace_name")
        and isinstance(content["workspace_name"], str)
    ):
        return (
            content.get("subscription_id", ""),
            content.get("resource_group", ""),
            content["workspace_name"],
        )
    raise UserErrorException(
        f"{file} names no workspace: it needs 'workspace_name', or a 'Scope' that ends in /workspaces/NAME.",
        code="ConfigInvalid",
    )
