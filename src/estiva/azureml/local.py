"""azureml.core.webservice.local."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from estiva.azureml.webservice import Webservice
from estiva.sdk import local as sdk
from estiva.sdk.configuration import WebserviceDeploymentConfiguration
from estiva.sdk.inference import InferenceConfig
from estiva.sdk.local import LocalWebserviceDeploymentConfiguration

if TYPE_CHECKING:
    from estiva.azureml.workspace import Workspace

__all__ = ["LocalWebservice", "LocalWebserviceDeploymentConfiguration"]


class LocalWebservice(Webservice, sdk.LocalWebservice, kind="local"):
    """A service on this machine, published on a port of its own."""

    NETWORK_NAME = "azureml-local"

    def __init__(self, workspace: Workspace, name: str, must_exist: bool = True, **private: Any) -> None:
        sdk.LocalWebservice.__init__(self, workspace, name, must_exist, **private)

    @property
    def scoring_uri(self) -> str | None:
        uri = super().scoring_uri
        return None if uri is None else uri.replace("//127.0.0.1:", "//localhost:", 1)

    @staticmethod
    def list(  # type: ignore[override]
        workspace: Workspace,
        model_name: str | None = None,
        model_id: str | None = None,
        all: bool | None = None,  # noqa: A002, ARG004  those that have ended are listed, too
    ) -> builtins.list[LocalWebservice]:
        found = Webservice.list(workspace, "Local", model_name=model_name, model_id=model_id)
        return [service for service in found if isinstance(service, LocalWebservice)]

    def wait_for_deployment(self, show_output: bool = False, timeout_sec: float | None = None) -> None:
        """Prints what SDK v1 prints, with `show_output` beside the steps."""
        print("Checking container health...", flush=True)
        super(Webservice, self).wait_for_deployment(show_output, timeout_sec)
        if not show_output:
            print(
                f"Local webservice is running at {str(self.scoring_uri).removesuffix('/score')}", flush=True
            )

    def get_logs(  # type: ignore[override]
        self, num_lines: int = 5000, raw: bool = False, init: bool = False
    ) -> str:
        return super().get_logs(num_lines, init, raw)

    def update_deployment_state(self, must_exist: bool = False) -> None:  # noqa: ARG002  else it is an error
        super().update_deployment_state()

    def delete(
        self,
        delete_cache: bool = True,  # noqa: ARG002  kept as long as another service has the same environment
        delete_image: bool = False,  # noqa: ARG002
        delete_volume: bool = True,  # noqa: ARG002
    ) -> None:
        super().delete()

    def get_keys(self) -> tuple[str, str]:
        self._check_keys()
        return super().get_keys()

    def regen_key(self, key: str, set_key: str | None = None) -> None:
        self._check_keys()
        super().regen_key(key, set_key)

    def _check_keys(self) -> None:
        if not self.auth_enabled:
            raise NotImplementedError(
                "A Local service has no keys unless it was deployed with auth_enabled=True."
            )

    @classmethod
    def deserialize(cls, workspace: Workspace, webservice_payload: dict[str, Any]) -> LocalWebservice:
        raise NotImplementedError(
            "Local services are not made from payloads: use LocalWebservice(workspace, name)."
        )

    def deploy_to_cloud(
        self,
        name: str | None = None,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        deployment_target: Any = None,
    ) -> Webservice:
        """The same models, script and environment as a service of another kind."""
        from estiva.azureml.model import Model

        return Model.deploy(
            self.workspace,
            name or self.name,
            self.models,
            self._inference_config(),
            deployment_config,
            deployment_target,
        )

    def _inference_config(self) -> InferenceConfig:
        spec = (self._view.serving or self._view.desired).spec
        folder = spec.code.source_directory
        entry = spec.code.entry_path
        inside = entry.removeprefix(f"{folder}/") if folder else entry
        return InferenceConfig(inside, source_directory=folder, environment=self.environment)
