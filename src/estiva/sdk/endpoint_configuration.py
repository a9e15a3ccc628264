"""How an endpoint is deployed: as a Kubernetes service, with the name and the share of its first version."""

from __future__ import annotations

from typing import Any

from estiva.errors import WebserviceException
from estiva.sdk.kubernetes import KubernetesWebserviceDeploymentConfiguration

_ALL = 100


class EndpointDeploymentConfiguration(KubernetesWebserviceDeploymentConfiguration):
    """The parameters and their rules are those of SDK v1.

    `version_name` names the first version, after the endpoint unless it is given; `traffic_percentile` is
    what it claims of the requests. As the default version it takes besides what no other one claims.
    """

    kind = "endpoint"

    def __init__(
        self,
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
        primary_key: str | None = None,
        secondary_key: str | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        description: str | None = None,
        gpu_cores: int | None = None,
        period_seconds: int | None = None,
        initial_delay_seconds: int | None = None,
        timeout_seconds: int | None = None,
        success_threshold: int | None = None,
        failure_threshold: int | None = None,
        namespace: str | None = None,
        token_auth_enabled: bool | None = None,
        version_name: str | None = None,
        traffic_percentile: int | None = None,
        compute_target_name: str | None = None,
        cpu_cores_limit: float | None = None,
        memory_gb_limit: float | None = None,
        **others: Any,
    ) -> None:
        self.version_name = version_name
        self.traffic_percentile = traffic_percentile
        super().__init__(
            autoscale_enabled=autoscale_enabled,
            autoscale_min_replicas=autoscale_min_replicas,
            autoscale_max_replicas=autoscale_max_replicas,
            autoscale_refresh_seconds=autoscale_refresh_seconds,
            autoscale_target_utilization=autoscale_target_utilization,
            collect_model_data=collect_model_data,
            auth_enabled=auth_enabled,
            cpu_cores=cpu_cores,
            memory_gb=memory_gb,
            enable_app_insights=enable_app_insights,
            scoring_timeout_ms=scoring_timeout_ms,
            replica_max_concurrent_requests=replica_max_concurrent_requests,
            max_request_wait_time=max_request_wait_time,
            num_replicas=num_replicas,
            primary_key=primary_key,
            secondary_key=secondary_key,
            tags=tags,
            properties=properties,
            description=description,
            gpu_cores=gpu_cores,
            period_seconds=period_seconds,
            initial_delay_seconds=initial_delay_seconds,
            timeout_seconds=timeout_seconds,
            success_threshold=success_threshold,
            failure_threshold=failure_threshold,
            namespace=namespace,
            token_auth_enabled=token_auth_enabled,
            compute_target_name=compute_target_name,
            cpu_cores_limit=cpu_cores_limit,
            memory_gb_limit=memory_gb_limit,
            **others,
        )

    def validate_configuration(self) -> None:
        """As for a Kubernetes service, and as `validate_endpoint_configuration`."""
        super().validate_configuration()
        self.validate_endpoint_configuration()

    def validate_endpoint_configuration(self) -> None:
        """Raises WebserviceException for a share that none can be."""
        check_share(self.traffic_percentile)


def check_share(percentile: int | None) -> None:
    """Raises WebserviceException for what is neither a percentage nor None."""
    if percentile is not None and not 0 <= percentile <= _ALL:
        raise WebserviceException(
            f"traffic_percentile must be from 0 to {_ALL}, not {percentile!r}.", code="TrafficInvalid"
        )
