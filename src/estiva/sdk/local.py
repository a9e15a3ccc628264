"""Local services: published on a port of their own on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from estiva.messages import PublicationRequest, ServiceView
from estiva.records import ServiceState
from estiva.sdk.access import WithoutTokens
from estiva.sdk.configuration import WebserviceDeploymentConfiguration, check_port
from estiva.sdk.inference import InferenceConfig
from estiva.sdk.model import Model
from estiva.sdk.webservice import Webservice, is_pending
from estiva.sdk.workspace import Workspace


class LocalWebserviceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """How a Local service is published.

    `port`: 1 to 65535; None takes a free one. `host`: the address to listen on, loopback unless set.
    Other parameters as in WebserviceDeploymentConfiguration.
    """

    kind = "local"

    def __init__(
        self,
        port: int | None = None,
        *,
        host: str = "127.0.0.1",
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.port = port
        self.host = host
        self.validate_configuration()

    def validate_configuration(self) -> None:
        check_port(self.port)
        super().validate_configuration()

    def print_deploy_configuration(self) -> None:
        print(f"Local service, port {self.port or 'chosen when it is deployed'}")

    def publication(self) -> PublicationRequest:
        return super().publication().model_copy(update={"host": self.host, "port": self.port})


class LocalWebservice(WithoutTokens, Webservice, kind="local"):
    """A service on this machine, published on a port of its own."""

    compute_type = "Local"

    STATE_DELETED = "deleted"
    STATE_DEPLOYING = "deploying"
    STATE_FAILED = "failed"
    STATE_RUNNING = "running"
    STATE_UNKNOWN = "unknown"

    _STATES = {
        ServiceState.TRANSITIONING: STATE_DEPLOYING,
        ServiceState.HEALTHY: STATE_RUNNING,
        ServiceState.UNHEALTHY: STATE_UNKNOWN,
        ServiceState.FAILED: STATE_FAILED,
        ServiceState.UNSCHEDULABLE: STATE_FAILED,
        ServiceState.DELETING: STATE_DELETED,
    }

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        must_exist: bool = True,  # noqa: ARG002  a service that does not exist has no object here
        *,
        _view: ServiceView | None = None,
    ) -> None:
        super().__init__(workspace, name, _view=_view)

    deploy_configuration = LocalWebserviceDeploymentConfiguration

    @property
    def state(self) -> str:
        return self.STATE_DELETED if self._deleted else self._STATES[self._view.service.state]

    def run(self, input_data: str | bytes) -> Any:
        """Waits first for a change that this object has asked for, so that its answer is the new script's."""
        if is_pending(self._view.desired):
            Webservice.wait_for_deployment(self)
        return super().run(input_data)

    def update(
        self,
        models: Sequence[Model | str | PathLike[str]] | None = None,
        inference_config: InferenceConfig | None = None,
        deployment_config: LocalWebserviceDeploymentConfiguration | None = None,
        wait: bool = False,
        image_config: InferenceConfig | None = None,
    ) -> None:
        """Replaces what is given; what is None stays as it was. `image_config` is the older name.

        The present generation goes on serving until the new one is ready, and for good if it fails.
        """
        self._replace(models, inference_config or image_config, deployment_config, wait)
