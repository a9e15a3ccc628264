"""azureml.core.workspace: the SDK's workspace, and what a workspace in the cloud has around it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from estiva.azureml import notices, storage
from estiva.errors import UserErrorException
from estiva.sdk import workspace as sdk

if TYPE_CHECKING:
    from typing_extensions import Self

    from estiva.azureml.compute import ComputeTarget
    from estiva.azureml.dataset import Dataset
    from estiva.azureml.datastore import Datastore
    from estiva.azureml.environment import Environment
    from estiva.azureml.experiment import Experiment
    from estiva.azureml.model import Model
    from estiva.azureml.webservice import Webservice

_CLOUD = "it belongs to a cloud account, and this workspace is on your machine"


class Workspace(sdk.Workspace):
    """A workspace that exists; only its name matters. Subscription and resource group are kept."""

    DEFAULT_CPU_CLUSTER_NAME = "cpu-cluster"
    DEFAULT_GPU_CLUSTER_NAME = "gpu-cluster"

    def __init__(
        self,
        subscription_id: str | None,
        resource_group: str | None,
        workspace_name: str,
        auth: Any = None,
        _location: str | None = None,
        _disable_service_check: bool = False,
        _workspace_id: str | None = None,
        sku: str = "basic",
        tags: dict[str, str] | None = None,  # noqa: ARG002  those that it was created with are shown
        _cloud: str = "AzureCloud",
    ) -> None:
        super().__init__(subscription_id, resource_group, workspace_name, auth)
        self._sku = sku

    @classmethod
    def from_config(  # type: ignore[override]
        cls,
        path: str | None = None,
        auth: Any = None,
        _logger: Any = None,
        _file_name: str | None = None,
    ) -> Self:
        """The workspace that a `config.json` names; made, with a notice, if there is none of that name."""
        start = Path(path) if path else Path.cwd()
        named = start / _file_name if _file_name and start.is_dir() else start
        file = sdk.find_config(named if named.exists() else start)
        subscription, group, name = sdk.read_config(file)
        if name not in cls.list():
            notices.tell(f"{file} names the workspace {name!r}, which is new here: it was made, empty.")
            cls.create(name, None, subscription, group, show_output=False, exist_ok=True)
        return cls(subscription, group, name, auth)

    @classmethod
    def create(  # type: ignore[override]
        cls,
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        create_resource_group: bool = True,
        sku: str = "basic",
        tags: dict[str, str] | None = None,
        friendly_name: str | None = None,
        storage_account: str | None = None,
        key_vault: str | None = None,
        app_insights: str | None = None,
        container_registry: str | None = None,
        adb_workspace: str | None = None,
        primary_user_assigned_identity: str | None = None,
        cmk_keyvault: str | None = None,
        resource_cmk_uri: str | None = None,
        hbi_workspace: bool = False,
        default_cpu_compute_target: Any = None,
        default_gpu_compute_target: Any = None,
        private_endpoint_config: Any = None,
        private_endpoint_auto_approval: bool = True,  # noqa: ARG003
        exist_ok: bool = False,
        show_output: bool = True,
        user_assigned_identity_for_cmk_encryption: str | None = None,
        system_datastores_auth_mode: str = "accessKey",  # noqa: ARG003
        v1_legacy_mode: bool | None = None,  # noqa: ARG003
    ) -> Self:
        """Makes a workspace; only the name is needed."""
        without_effect = {
            "storage_account": storage_account,
            "key_vault": key_vault,
            "app_insights": app_insights,
            "container_registry": container_registry,
            "adb_workspace": adb_workspace,
            "primary_user_assigned_identity": primary_user_assigned_identity,
            "cmk_keyvault": cmk_keyvault,
            "resource_cmk_uri": resource_cmk_uri,
            "hbi_workspace": hbi_workspace,
            "default_cpu_compute_target": default_cpu_compute_target,
            "default_gpu_compute_target": default_gpu_compute_target,
            "private_endpoint_config": private_endpoint_config,
            "user_assigned_identity_for_cmk_encryption": user_assigned_identity_for_cmk_encryption,
        }
        notices.ignored("Workspace.create", without_effect, _CLOUD)
        created = super().create(
            name,
            auth,
            subscription_id,
            resource_group,
            location,
            create_resource_group,
            sku,
            tags,
            exist_ok=exist_ok,
            show_output=show_output,
        )
        if friendly_name:
            created.update(friendly_name=friendly_name)
        return created

    @classmethod
    def get(  # type: ignore[override]
        cls,
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,  # noqa: ARG003
        cloud: str = "AzureCloud",  # noqa: ARG003
        id: str | None = None,  # noqa: A002, ARG003
    ) -> Self:
        return cls(subscription_id, resource_group, name, auth)

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def sku(self) -> str:
        return self._sku

    @property
    def discovery_url(self) -> str:
        return "http://localhost"

    @property
    def service_context(self) -> Any:
        raise _refused("service_context", "there are no cloud services to call; use the SDK's objects")

    def update(
        self,
        friendly_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        image_build_compute: str | None = None,
        service_managed_resources_settings: Any = None,
        primary_user_assigned_identity: str | None = None,
        allow_public_access_when_behind_vnet: bool | None = None,
        v1_legacy_mode: bool | None = None,
    ) -> dict[str, Any]:
        """Keeps the names, description and tags; `get_details()` shows them."""
        notices.ignored(
            "Workspace.update",
            {
                "image_build_compute": image_build_compute,
                "service_managed_resources_settings": service_managed_resources_settings,
                "primary_user_assigned_identity": primary_user_assigned_identity,
                "allow_public_access_when_behind_vnet": allow_public_access_when_behind_vnet,
                "v1_legacy_mode": v1_legacy_mode,
            },
            _CLOUD,
        )
        given = {"friendlyName": friendly_name, "description": description, "tags": tags}
        changed = {key: value for key, value in given.items() if value is not None}
        documents = storage.Documents(self.name)
        documents.write("workspace", {**(documents.read("workspace") or {}), **changed})
        return self.get_details()

    @property
    def tags(self) -> dict[str, str]:
        return dict(self._kept().get("tags", super().tags))

    def get_details(self) -> dict[str, Any]:
        kept = self._kept()
        return {
            **super().get_details(),
            "workspaceid": self.name,
            "description": kept.get("description", ""),
            "friendlyName": kept.get("friendlyName", self.name),
            "resourceGroup": self.resource_group,
            "subscriptionId": self.subscription_id,
            "provisioningState": "Succeeded",
            "sku": self.sku,
            "tags": self.tags,
        }

    def _kept(self) -> dict[str, Any]:
        return storage.Documents(self.name).read("workspace") or {}

    def list_keys(self) -> dict[str, Any]:
        raise _refused("list_keys", "a workspace has no keys; those of a service are service.get_keys()")

    def get_default_keyvault(self) -> Any:
        raise _refused(
            "get_default_keyvault",
            "there is no key vault; give a score script its secrets with secrets={...} in the deployment "
            "configuration, or read them from your shell's variables",
        )

    # --- what is in it -------------------------------------------------------------------------------

    @property
    def models(self) -> dict[str, Model]:  # type: ignore[override]
        """Name -> its newest version."""
        from estiva.azureml.model import Model

        return {model.name: model for model in Model.list(self, latest=True)}

    @property
    def environments(self) -> dict[str, Environment]:  # type: ignore[override]
        """Name -> its newest version, and the curated ones."""
        from estiva.azureml.environment import Environment

        return Environment.list(self)

    @property
    def webservices(self) -> dict[str, Webservice]:  # type: ignore[override]
        """Name -> service; Local services too."""
        from estiva.azureml.kinds import Webservice

        found = Webservice.list(self)
        return {service.name: service for service in found if isinstance(service, Webservice)}

    @property
    def compute_targets(self) -> dict[str, ComputeTarget]:
        from estiva.azureml.compute import ComputeTarget

        return {target.name: target for target in ComputeTarget.list(self)}

    def get_default_compute_target(self, type: str) -> ComputeTarget | None:  # noqa: A002
        """The target of the default name for "CPU" or "GPU", if the script has made one."""
        names = {"CPU": self.DEFAULT_CPU_CLUSTER_NAME, "GPU": self.DEFAULT_GPU_CLUSTER_NAME}
        if type not in names:
            raise UserErrorException(f"type is CPU or GPU, not {type!r}.")
        return self.compute_targets.get(names[type])

    @property
    def images(self) -> dict[str, Any]:
        """Empty: an image belongs to the service or package that it was made for."""
        return {}

    @property
    def experiments(self) -> dict[str, Experiment]:
        from estiva.azureml.experiment import Experiment

        return {experiment.name: experiment for experiment in Experiment.list(self)}

    @property
    def datasets(self) -> dict[str, Dataset]:
        """Name -> its newest version."""
        from estiva.azureml.dataset import Dataset

        return Dataset.get_all(self)

    @property
    def datastores(self) -> dict[str, Datastore]:
        from estiva.azureml.datastore import Datastore

        return Datastore.list(self)

    def get_default_datastore(self) -> Datastore:
        from estiva.azureml.datastore import Datastore

        return Datastore.get_default(self)


def _refused(name: str, instead: str) -> UserErrorException:
    return UserErrorException(f"Workspace.{name} is not available: {instead}.", code="NotAvailable")
