"""azureml.core.compute: compute targets by name. Whatever the cluster was, services run on this machine."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from estiva.azureml import notices, storage
from estiva.azureml.compute_configuration import (
    AksAttachConfiguration,
    AksProvisioningConfiguration,
    ComputeTargetAttachConfiguration,
    ComputeTargetProvisioningConfiguration,
    KubernetesComputeAttachConfiguration,
    KubernetesComputeStatus,
)
from estiva.errors import ComputeTargetException

if TYPE_CHECKING:
    from typing_extensions import Self

    from estiva.azureml.workspace import Workspace

__all__ = ["AksCompute", "ComputeTarget", "ComputeTargetException", "KubernetesCompute"]

_RESERVED = ("amlcompute", "local", "containerinstance")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]{0,31}")

_classes: dict[str, type[ComputeTarget]] = {}


class ComputeTarget:
    """A compute target that exists; `ComputeTarget(workspace, name)` answers with the object of its kind.

    Raises ComputeTargetException with "ComputeTargetNotFound" in its message if there is none.
    """

    type: ClassVar[str] = ""
    provisioning_configuration: ClassVar[Callable[..., ComputeTargetProvisioningConfiguration]]
    attach_configuration: ClassVar[Callable[..., ComputeTargetAttachConfiguration]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _classes[cls.type] = cls

    def __new__(cls, workspace: Workspace, name: str) -> ComputeTarget:
        kind = _read(workspace, name)["type"]
        return super().__new__(_classes[kind] if cls is ComputeTarget else cls)

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace = workspace
        self.name = name
        self.refresh_state()
        if self._document["type"] != self.type:
            raise ComputeTargetException(
                f"The compute target {name!r} is of type {self._document['type']}, not {self.type}."
            )

    @staticmethod
    def create(
        workspace: Workspace,
        name: str,
        provisioning_configuration: ComputeTargetProvisioningConfiguration,
    ) -> ComputeTarget:
        """Gives this machine a name as a target; nothing is provisioned."""
        provisioning_configuration.validate_configuration()
        return _keep(
            workspace, name, provisioning_configuration.type, vars(provisioning_configuration), attached=False
        )

    @staticmethod
    def attach(
        workspace: Workspace, name: str, attach_configuration: ComputeTargetAttachConfiguration
    ) -> ComputeTarget:
        """As `create`, for a cluster that exists."""
        attach_configuration.validate_configuration()
        return _keep(workspace, name, attach_configuration.type, vars(attach_configuration), attached=True)

    @staticmethod
    def list(workspace: Workspace) -> builtins.list[ComputeTarget]:
        return [ComputeTarget(workspace, name) for name in _documents(workspace).names()]

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        return f"{self.workspace.get_details()['id']}/computes/{self.name}"

    @property
    def location(self) -> str:
        return str(self._configuration.get("location") or self.workspace.location)

    cluster_location = location

    @property
    def cluster_resource_id(self) -> str | None:
        return self._configuration.get("resource_id")

    @property
    def provisioning_state(self) -> str:
        return "Succeeded"

    @property
    def provisioning_errors(self) -> None:
        """None: there is nothing that could fail."""

    @property
    def is_attached(self) -> bool:
        return bool(self._document["attached"])

    @property
    def description(self) -> str | None:
        return None

    @property
    def tags(self) -> dict[str, str]:
        return {}

    @property
    def created_on(self) -> datetime:
        return datetime.fromisoformat(self._document["created"])

    modified_on = created_on

    @property
    def _configuration(self) -> dict[str, Any]:
        return dict(self._document["configuration"])

    def refresh_state(self) -> None:
        self._document = _read(self.workspace, self.name)

    def get_status(self) -> str:
        self.refresh_state()
        return self.provisioning_state

    def wait_for_completion(self, show_output: bool = False, is_delete_operation: bool = False) -> None:
        """Returns at once."""
        if show_output:
            done = "Deleting" if is_delete_operation else "Provisioning"
            print(f'Succeeded\n{done} operation finished, operation "Succeeded"')

    # --- changing it ---------------------------------------------------------------------------------

    def delete(self) -> None:
        """Forgets the name; services that were deployed to it go on."""
        _documents(self.workspace).delete(self.name)

    def detach(self) -> None:
        self.delete()

    def serialize(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "location": self.location,
            "tags": self.tags,
            "properties": {
                "computeType": self.type,
                "provisioningState": self.provisioning_state,
                "provisioningErrors": self.provisioning_errors,
                "isAttachedCompute": self.is_attached,
                "createdOn": self.created_on.isoformat(),
            },
        }

    @staticmethod
    def deserialize(workspace: Workspace, object_dict: dict[str, Any]) -> ComputeTarget:
        """The target that `serialize()` described."""
        return ComputeTarget(workspace, object_dict["name"])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, provisioning_state={self.provisioning_state!r})"


class AksCompute(ComputeTarget):
    type = "AKS"
    provisioning_configuration = AksProvisioningConfiguration
    attach_configuration = AksAttachConfiguration

    class ClusterPurpose:
        FAST_PROD = "FastProd"
        DEV_TEST = "DevTest"

    @staticmethod
    def attach(workspace: Workspace, name: str, resource_id: Any) -> ComputeTarget:
        """The older form takes the cluster's id; a configuration is taken, too."""
        if isinstance(resource_id, str):
            resource_id = AksAttachConfiguration(resource_id=resource_id)
        return ComputeTarget.attach(workspace, name, resource_id)

    @property
    def agent_count(self) -> int | None:
        return self._configuration.get("agent_count")

    @property
    def agent_vm_size(self) -> str | None:
        return self._configuration.get("vm_size")

    @property
    def cluster_purpose(self) -> str | None:
        return self._configuration.get("cluster_purpose")

    @property
    def cluster_fqdn(self) -> str:
        return "localhost"

    @property
    def system_services(self) -> builtins.list[Any]:
        return []

    @property
    def ssl_configuration(self) -> Any:
        return self._configuration.get("ssl")

    @property
    def load_balancer_type(self) -> str | None:
        return self._configuration.get("load_balancer_type")

    @property
    def load_balancer_subnet(self) -> str | None:
        return self._configuration.get("load_balancer_subnet")

    def update(self, update_configuration: Any) -> None:
        update_configuration.validate_configuration()
        notices.tell(f"{self.name}: a new TLS configuration is kept, without effect here.")
        changed = {**self._configuration, "ssl": str(update_configuration.ssl_configuration)}
        _documents(self.workspace).write(self.name, {**self._document, "configuration": changed})
        self.refresh_state()

    def get_credentials(self) -> dict[str, Any]:
        raise ComputeTargetException(
            f"The compute target {self.name!r} is this machine, which has no cluster credentials."
        )


class KubernetesCompute(ComputeTarget):
    type = "Kubernetes"
    attach_configuration = KubernetesComputeAttachConfiguration

    default_instance_type = None
    instance_types = None
    public_ip = None
    vm_size = None

    @property
    def namespace(self) -> str:
        return str(self._configuration.get("namespace") or "default")

    @property
    def identity_type(self) -> str | None:
        return self._configuration.get("identity_type")

    @property
    def identity_ids(self) -> Any:
        return self._configuration.get("identity_ids")

    @property
    def status(self) -> KubernetesComputeStatus:
        return KubernetesComputeStatus(self.created_on, self.modified_on, self.provisioning_state)

    def get(self) -> Self:
        return type(self)(self.workspace, self.name)

    def delete(self) -> None:
        raise ComputeTargetException("A Kubernetes target is not deleted: use detach().")

    def detach(self) -> None:
        super().delete()


def _documents(workspace: Workspace) -> storage.Documents:
    return storage.Documents(workspace.name, "compute")


def _read(workspace: Workspace, name: str) -> dict[str, Any]:
    found = _documents(workspace).read(name)
    if found is None:
        known = ", ".join(_documents(workspace).names()) or "none"
        raise ComputeTargetException(
            f"ComputeTargetNotFound: there is no compute target with name {name} in the workspace "
            f"{workspace.name!r} (there are: {known}). ComputeTarget.create makes one.",
            code="ComputeTargetNotFound",
        )
    return found


def _keep(
    workspace: Workspace, name: str, kind: str, configuration: dict[str, Any], *, attached: bool
) -> ComputeTarget:
    if name.lower() in _RESERVED or not _NAME.fullmatch(name):
        raise ComputeTargetException(
            f"{name!r} cannot be the name of a compute target: use 1 to 32 letters, digits and hyphens, and "
            f"none of {', '.join(_RESERVED)}."
        )
    notices.tell(f"The compute target {name!r} is this machine: no cluster is made or reached.")
    document = {
        "type": kind,
        "attached": attached,
        "created": datetime.now(timezone.utc).isoformat(),
        "configuration": {key: value for key, value in configuration.items() if key != "type"},
    }
    _documents(workspace).write(name, document)
    return ComputeTarget(workspace, name)
