"""Services of the Kubernetes kind: with keys, several replicas, and limits; AksWebservice in SDK v1."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, ClassVar

from estiva.errors import WebserviceException
from estiva.messages import PublicationRequest, ScalingRequest
from estiva.records import AutoscalePolicy, Probe, ServiceKind, ServiceSettings
from estiva.sdk import scaling
from estiva.sdk.access import WithTokens
from estiva.sdk.configuration import WebserviceDeploymentConfiguration
from estiva.sdk.inference import InferenceConfig
from estiva.sdk.model import Model
from estiva.sdk.resources import ContainerResourceRequirements, LivenessProbeRequirements
from estiva.sdk.webservice import Webservice

_POSITIVE = (
    *("cpu_cores", "memory_gb", "cpu_cores_limit", "memory_gb_limit", "num_replicas"),
    *("period_seconds", "initial_delay_seconds", "timeout_seconds", "success_threshold", "failure_threshold"),
    *("scoring_timeout_ms", "replica_max_concurrent_requests", "max_request_wait_time"),
    *("autoscale_max_replicas", "autoscale_refresh_seconds", "autoscale_target_utilization"),
)
_NOT_NEGATIVE = ("gpu_cores", "autoscale_min_replicas", "autoscale_idle_seconds")
_AUTOSCALE = (
    *("autoscale_min_replicas", "autoscale_max_replicas"),
    *("autoscale_refresh_seconds", "autoscale_target_utilization", "autoscale_idle_seconds"),
)
GB = 1000**3
CPU_CORES, MEMORY_GB = 0.1, 0.5
_PROBE = ("period_seconds", "timeout_seconds", "success_threshold", "failure_threshold")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{,61}[a-z0-9])?")


class KubernetesWebserviceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """How a Kubernetes service is deployed; the parameters and their rules are those of SDK v1.

    Callers need a key unless `auth_enabled` is False, or a token with `token_auth_enabled`. `num_replicas`
    replicas serve, else as many as the load needs. `autoscale_min_replicas` may be 0, beyond SDK v1: then all
    replicas go when no request has come for `autoscale_idle_seconds`, and the next one starts one. Of what a
    cluster gives and processes on this machine do not have, `print_deploy_configuration` says that it has no
    effect here.
    """

    kind: ClassVar[ServiceKind] = "kubernetes"

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
        compute_target_name: str | None = None,
        cpu_cores_limit: float | None = None,
        memory_gb_limit: float | None = None,
        blobfuse_enabled: bool | None = None,
        autoscale_idle_seconds: float | None = None,
        **others: Any,
    ) -> None:
        super().__init__(
            auth_enabled=auth_enabled,
            primary_key=primary_key,
            secondary_key=secondary_key,
            tags=tags,
            properties=properties,
            description=description,
            **others,
        )
        defaults = ServiceSettings()
        self.autoscale_enabled = autoscale_enabled
        self.autoscale_min_replicas = autoscale_min_replicas
        self.autoscale_max_replicas = autoscale_max_replicas
        self.autoscale_refresh_seconds = autoscale_refresh_seconds
        self.autoscale_target_utilization = autoscale_target_utilization
        self.collect_model_data = collect_model_data
        self.cpu_cores = cpu_cores
        self.memory_gb = memory_gb
        self.enable_app_insights = enable_app_insights
        self.scoring_timeout_ms = _or(scoring_timeout_ms, defaults.scoring_timeout_ms)
        self.replica_max_concurrent_requests = _or(
            replica_max_concurrent_requests, defaults.replica_max_concurrent_requests
        )
        self.max_request_wait_time = _or(max_request_wait_time, defaults.max_request_wait_time)
        self.num_replicas = num_replicas
        self.gpu_cores = gpu_cores
        self.period_seconds = period_seconds
        self.initial_delay_seconds = initial_delay_seconds
        self.timeout_seconds = timeout_seconds
        self.success_threshold = success_threshold
        self.failure_threshold = failure_threshold
        self.namespace = namespace
        self.token_auth_enabled = token_auth_enabled
        self.compute_target_name = compute_target_name
        self.cpu_cores_limit = cpu_cores_limit
        self.memory_gb_limit = memory_gb_limit
        self.blobfuse_enabled = blobfuse_enabled
        self.autoscale_idle_seconds = autoscale_idle_seconds
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Raises one WebserviceException with every problem, a sentence in a line for each."""
        problems = [
            *self._wrong_numbers(),
            *self._wrong_limits(),
            *self._wrong_scaling(),
            *self._wrong_access(),
        ]
        if problems:
            raise WebserviceException("\n".join(problems), code="ConfigurationInvalid")

    def print_deploy_configuration(self) -> None:
        print(f"Kubernetes service {self._access()}, {self._replicas()}")
        without = [name for name in _WITHOUT_EFFECT if getattr(self, name) is not None]
        if without:
            print(f"Of no effect on this machine: {', '.join(without)}")

    def scaling(self) -> ScalingRequest | None:
        """None leaves it as it is, or in a new deployment to the kind, which scales automatically."""
        if self.num_replicas is not None:
            return scaling.request(replicas=self.num_replicas)
        if not self.autoscale_enabled:
            return None
        return scaling.request(
            autoscale=True,
            min_replicas=self.autoscale_min_replicas,
            max_replicas=self.autoscale_max_replicas,
            refresh_seconds=self.autoscale_refresh_seconds,
            target_utilization=self.autoscale_target_utilization,
            idle_seconds=self.autoscale_idle_seconds,
        )

    def publication(self) -> PublicationRequest:
        return super().publication().model_copy(update={"token_auth_enabled": self.token_auth_enabled})

    def settings(self) -> ServiceSettings:
        return (
            super()
            .settings()
            .model_copy(
                update={
                    "replica_max_concurrent_requests": self.replica_max_concurrent_requests,
                    "max_request_wait_time": self.max_request_wait_time,
                    "cpu_reserved": self.cpu_cores,
                    "memory_reserved": _bytes(self.memory_gb),
                    "cpu_limit": self.cpu_cores_limit,
                    "memory_limit": _bytes(self.memory_gb_limit),
                    "gpus": self.gpu_cores or 0,
                    "probe": self._probe(),
                }
            )
        )

    def _probe(self) -> Probe:
        """What is not given is as the gateway does it by itself."""
        return Probe.model_validate(
            {name: value for name in _PROBE if (value := getattr(self, name)) is not None}
        )

    def _access(self) -> str:
        if self.token_auth_enabled:
            return "with tokens"
        return "without keys" if self.auth_enabled is False else "with keys"

    def _replicas(self) -> str:
        if self.num_replicas is not None:
            return f"replicas: {self.num_replicas}"
        policy = AutoscalePolicy()
        low, high = self.autoscale_min_replicas, self.autoscale_max_replicas
        return (
            f"replicas: {policy.min_replicas if low is None else low} to "
            f"{policy.max_replicas if high is None else high}, as the load needs"
        )

    def _wrong_numbers(self) -> list[str]:
        found = [
            f"{name} must be greater than 0, not {value!r}."
            for name in _POSITIVE
            if (value := getattr(self, name)) is not None and value <= 0
        ]
        found += [
            f"{name} must be 0 or more, not {value!r}."
            for name in _NOT_NEGATIVE
            if (value := getattr(self, name)) is not None and value < 0
        ]
        return found

    def _wrong_limits(self) -> list[str]:
        return [
            f"{name}_limit ({limit:g}) must not be less than {name} ({request:g})."
            for name in ("cpu_cores", "memory_gb")
            if (limit := getattr(self, f"{name}_limit")) is not None
            and (request := getattr(self, name)) is not None
            and limit < request
        ]

    def _wrong_scaling(self) -> list[str]:
        given = [name for name in _AUTOSCALE if getattr(self, name) is not None]
        found = []
        if self.autoscale_enabled and self.num_replicas is not None:
            found.append("num_replicas cannot be set while autoscale_enabled is True.")
        if self.autoscale_enabled is False and self.num_replicas is None:
            found.append("num_replicas must be set when autoscale_enabled is False.")
        if given and not self.autoscale_enabled:
            found.append(f"{', '.join(given)} can only be set with autoscale_enabled=True.")
        low, high = self.autoscale_min_replicas, self.autoscale_max_replicas
        if low is not None and high is not None and low > high:
            found.append(f"autoscale_min_replicas ({low}) must not exceed autoscale_max_replicas ({high}).")
        return found

    def _wrong_access(self) -> list[str]:
        found = []
        if self.auth_enabled and self.token_auth_enabled:
            found.append("auth_enabled and token_auth_enabled cannot both be True.")
        if self.namespace is not None and not _NAMESPACE.fullmatch(self.namespace):
            found.append(
                f"namespace {self.namespace!r} must have 1 to 63 lower-case letters, digits and hyphens, and "
                "begin and end with a letter or digit."
            )
        return found


_WITHOUT_EFFECT = (
    *("enable_app_insights", "initial_delay_seconds"),
    *("namespace", "compute_target_name", "blobfuse_enabled"),
)


def _bytes(gigabytes: float | None) -> int | None:
    return None if gigabytes is None else round(gigabytes * GB)


def _gigabytes(size: int | None) -> float | None:
    return None if size is None else size / GB


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


class KubernetesWebservice(WithTokens, Webservice, kind="kubernetes"):
    """A service with several replicas and keys or tokens, below a path of the workspace's port."""

    compute_type = "AKS"

    deploy_configuration: ClassVar[Callable[..., WebserviceDeploymentConfiguration]] = (
        KubernetesWebserviceDeploymentConfiguration
    )

    def update(
        self,
        *,
        models: Sequence[Model | str | PathLike[str]] | None = None,
        inference_config: InferenceConfig | None = None,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        wait: bool = False,
        **configuration: Any,
    ) -> None:
        """Replaces what is given; parameters of deploy_configuration may be given one by one, as in SDK v1.

        Keys, the number of replicas and what it follows change without a new generation.
        """
        if configuration:
            deployment_config = self.deployment_configuration(**configuration)
        self._replace(models, inference_config, deployment_config, wait)

    def deployment_configuration(self, **changes: Any) -> WebserviceDeploymentConfiguration:
        """As of every kind; a bound alone changes the bounds of a service that scales automatically."""
        if self.autoscaler.autoscale_enabled and any(changes.get(name) is not None for name in _AUTOSCALE):
            changes = {**changes, "autoscale_enabled": changes.get("autoscale_enabled", True)}
        return super().deployment_configuration(**changes)

    @property
    def num_replicas(self) -> int | None:
        """How many are wanted, if that is a fixed number."""
        return None if self.autoscaler.autoscale_enabled else self.wanted_replicas

    @property
    def scoring_timeout_ms(self) -> int:
        return self._settings.scoring_timeout_ms

    @property
    def max_concurrent_requests_per_container(self) -> int:
        return self._settings.replica_max_concurrent_requests

    @property
    def max_request_wait_time(self) -> int:
        """Milliseconds."""
        return self._settings.max_request_wait_time

    @property
    def container_resource_requirements(self) -> ContainerResourceRequirements:
        """What each replica reserves, or is taken to need."""
        memory = self._settings.memory_reserved
        return ContainerResourceRequirements(
            cpu=self._settings.cpu_reserved or CPU_CORES,
            memory_in_gb=MEMORY_GB if memory is None else memory / GB,
        )

    @property
    def liveness_probe_requirements(self) -> LivenessProbeRequirements:
        """How the gateway asks replicas for their health; from when on is up to `init()`."""
        probe = self._settings.probe
        return LivenessProbeRequirements(
            period_seconds=round(probe.period_seconds),
            initial_delay_seconds=None,
            timeout_seconds=round(probe.timeout_seconds),
            success_threshold=probe.success_threshold,
            failure_threshold=probe.failure_threshold,
        )

    @property
    def _settings(self) -> ServiceSettings:
        return self._view.desired.spec.settings

    def _configured(self) -> dict[str, Any]:
        settings = self._settings
        return super()._configured() | {
            "replica_max_concurrent_requests": settings.replica_max_concurrent_requests,
            "max_request_wait_time": settings.max_request_wait_time,
            "cpu_cores": settings.cpu_reserved,
            "memory_gb": _gigabytes(settings.memory_reserved),
            "cpu_cores_limit": settings.cpu_limit,
            "memory_gb_limit": _gigabytes(settings.memory_limit),
            "gpu_cores": settings.gpus or None,
            **{name: getattr(settings.probe, name) for name in _PROBE},
        }


AksWebservice = KubernetesWebservice
