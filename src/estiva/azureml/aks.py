"""azureml.core.webservice.aks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from estiva.azureml.webservice import Webservice
from estiva.errors import WebserviceException
from estiva.sdk import kubernetes as sdk
from estiva.sdk.access import WebServiceAccessToken
from estiva.sdk.kubernetes import (
    KubernetesWebserviceDeploymentConfiguration as AksServiceDeploymentConfiguration,
)
from estiva.sdk.resources import (
    ContainerResourceRequirements,
    DataCollection,
    LivenessProbeRequirements,
)

__all__ = [
    "AksServiceAccessToken",
    "AksServiceDeploymentConfiguration",
    "AksWebservice",
    "WebServiceAccessToken",
]

AksServiceAccessToken = WebServiceAccessToken

_INITIAL_DELAY_SECONDS = 310


class AksWebservice(Webservice, sdk.KubernetesWebservice, kind="kubernetes"):
    """A service with replicas and keys, below a path of the workspace's port."""

    def update(
        self,
        image: Any = None,
        autoscale_enabled: bool | None = None,
        autoscale_min_replicas: int | None = None,
        autoscale_max_replicas: int | None = None,
        autoscale_refresh_seconds: int | None = None,
        autoscale_target_utilization: int | None = None,
        collect_model_data: bool | None = None,
        auth_enabled: bool | None = None,
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        enable_app_insights: bool | None = None,
        scoring_timeout_ms: int | None = None,
        replica_max_concurrent_requests: int | None = None,
        max_request_wait_time: int | None = None,
        num_replicas: int | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        description: str | None = None,
        models: Sequence[Any] | None = None,
        inference_config: Any = None,
        gpu_cores: int | None = None,
        period_seconds: int | None = None,
        initial_delay_seconds: int | None = None,
        timeout_seconds: int | None = None,
        success_threshold: int | None = None,
        failure_threshold: int | None = None,
        namespace: str | None = None,
        token_auth_enabled: bool | None = None,
        cpu_cores_limit: float | None = None,
        memory_gb_limit: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Replaces what is given; wait_for_deployment() then waits for it."""
        refuse_image(image)
        configuration = {
            "autoscale_enabled": autoscale_enabled,
            "autoscale_min_replicas": autoscale_min_replicas,
            "autoscale_max_replicas": autoscale_max_replicas,
            "autoscale_refresh_seconds": autoscale_refresh_seconds,
            "autoscale_target_utilization": autoscale_target_utilization,
            "collect_model_data": collect_model_data,
            "auth_enabled": auth_enabled,
            "cpu_cores": cpu_cores,
            "memory_gb": memory_gb,
            "enable_app_insights": enable_app_insights,
            "scoring_timeout_ms": scoring_timeout_ms,
            "replica_max_concurrent_requests": replica_max_concurrent_requests,
            "max_request_wait_time": max_request_wait_time,
            "num_replicas": num_replicas,
            "tags": tags,
            "properties": properties,
            "description": description,
            "gpu_cores": gpu_cores,
            "period_seconds": period_seconds,
            "initial_delay_seconds": initial_delay_seconds,
            "timeout_seconds": timeout_seconds,
            "success_threshold": success_threshold,
            "failure_threshold": failure_threshold,
            "namespace": namespace,
            "token_auth_enabled": token_auth_enabled,
            "cpu_cores_limit": cpu_cores_limit,
            "memory_gb_limit": memory_gb_limit,
            **kwargs,
        }
        self._update(models, inference_config, configuration)

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def container_resource_requirements(self) -> ContainerResourceRequirements:
        kept, reserved = self._kept(), super().container_resource_requirements
        return replace(
            reserved,
            gpu=kept.get("gpu_cores"),
            cpu_limit=kept.get("cpu_cores_limit"),
            memory_in_gb_limit=kept.get("memory_gb_limit"),
        )

    @property
    def liveness_probe_requirements(self) -> LivenessProbeRequirements:
        delay = self._kept().get("initial_delay_seconds", _INITIAL_DELAY_SECONDS)
        return replace(super().liveness_probe_requirements, initial_delay_seconds=delay)

    @property
    def data_collection(self) -> DataCollection:
        return DataCollection(
            event_hub_enabled=False, storage_enabled=bool(self._kept().get("collect_model_data"))
        )

    @property
    def compute_name(self) -> str | None:
        """Of the compute target that the script named."""
        kept = self._kept()
        return kept.get("compute_target") or kept.get("compute_target_name")

    @property
    def namespace(self) -> str | None:
        return self._kept().get("namespace")

    @property
    def deployment_status(self) -> str:
        return self.state

    @property
    def is_default(self) -> bool | None:
        """None: the service is no version of an endpoint."""
        return None

    @property
    def traffic_percentile(self) -> float | None:
        return None

    @property
    def version_type(self) -> str | None:
        return None

    def serialize(self) -> dict[str, Any]:
        return {
            **super().serialize(),
            "appInsightsEnabled": self.enable_app_insights,
            "authEnabled": self.auth_enabled,
            "aadAuthEnabled": self.token_auth_enabled,
            "autoScaler": self.autoscaler.serialize(),
            "computeName": self.compute_name,
            "containerResourceRequirements": self.container_resource_requirements.serialize(),
            "dataCollection": self.data_collection.serialize(),
            "livenessProbeRequirements": self.liveness_probe_requirements.serialize(),
            "maxConcurrentRequestsPerContainer": self.max_concurrent_requests_per_container,
            "maxQueueWaitMs": self.max_request_wait_time,
            "numReplicas": self.num_replicas,
            "deploymentStatus": self.deployment_status,
            "scoringTimeoutMs": self.scoring_timeout_ms,
            "isDefault": self.is_default,
            "trafficPercentile": self.traffic_percentile,
            "versionType": self.version_type,
            "namespace": self.namespace,
        }


def refuse_image(image: Any) -> None:
    if image is not None:
        raise WebserviceException(
            "A service is not updated by an image here: give models and inference_config.",
            code="NotAvailable",
        )
