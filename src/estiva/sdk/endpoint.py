"""Endpoints: several versions of a service behind one address; AksEndpoint in SDK v1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from os import PathLike
from typing import Any, NoReturn

from estiva.errors import WebserviceException
from estiva.messages import (
    DeploymentRequest,
    EndpointChange,
    EndpointRequest,
    ServiceView,
    TrafficRequest,
    VersionRequest,
    VersionView,
)
from estiva.records import VERSION_HEADER, Measures
from estiva.sdk.arguments import labels
from estiva.sdk.configuration import WebserviceDeploymentConfiguration
from estiva.sdk.connection import address, connect
from estiva.sdk.endpoint_configuration import EndpointDeploymentConfiguration, check_share
from estiva.sdk.environment import Environment
from estiva.sdk.html import table
from estiva.sdk.inference import InferenceConfig
from estiva.sdk.kubernetes import KubernetesWebservice
from estiva.sdk.model import Model
from estiva.sdk.webservice import fetch
from estiva.sdk.workspace import Workspace

Models = Sequence[Model | str | PathLike[str]]

_DEPLOYMENT = (
    *("autoscale_enabled", "autoscale_min_replicas", "autoscale_max_replicas", "autoscale_refresh_seconds"),
    *("autoscale_target_utilization", "collect_model_data", "cpu_cores", "memory_gb", "scoring_timeout_ms"),
    *("replica_max_concurrent_requests", "max_request_wait_time", "num_replicas", "tags", "properties"),
    *("description", "gpu_cores", "period_seconds", "initial_delay_seconds", "timeout_seconds"),
    *("success_threshold", "failure_threshold", "cpu_cores_limit", "memory_gb_limit"),
)
"""Parameters of a version that are those of its deployment configuration."""


class Endpoint(KubernetesWebservice, kind="endpoint"):
    """Several versions behind one address, each with replicas of its own and a share of the requests.

    What is no version's matter (keys, description, tags) is the endpoint's; all else that it shows (models,
    generation, replicas) is its default version's, and that of the others is in `versions`.
    """

    compute_type = "AKSENDPOINT"

    deploy_configuration = EndpointDeploymentConfiguration

    class VersionType(Enum):
        control = "Control"
        treatment = "Treatment"

    def __init__(self, workspace: Workspace, name: str, *, _view: ServiceView | None = None) -> None:
        super().__init__(workspace, name, _view=_view)
        self._changed_version: str | None = None

    # --- its versions --------------------------------------------------------------------------------

    @property
    def versions(self) -> dict[str, EndpointVersion]:
        """By name, the oldest first."""
        return {version.name: EndpointVersion(self, version) for version in self._view.versions}

    def version(self, name: str) -> EndpointVersion:
        """Raises WebserviceException, with those that there are, if there is none of that name."""
        found = self.versions.get(name)
        if found is None:
            raise WebserviceException(
                f"The endpoint {self.name!r} has no version {name!r}. It has: {', '.join(self.versions)}.",
                code="VersionNotFound",
            )
        return found

    @property
    def default_version(self) -> EndpointVersion:
        """The one that takes the requests that no other one claims."""
        return next(version for version in self.versions.values() if version.is_default)

    @property
    def sticky_header(self) -> str | None:
        """Requests with the same value of this header go to the same version."""
        return self._view.sticky_header

    def create_version(
        self,
        version_name: str,
        autoscale_enabled: bool | None = None,
        autoscale_min_replicas: int | None = None,
        autoscale_max_replicas: int | None = None,
        autoscale_refresh_seconds: int | None = None,
        autoscale_target_utilization: int | None = None,
        collect_model_data: bool | None = None,
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        scoring_timeout_ms: int | None = None,
        replica_max_concurrent_requests: int | None = None,
        max_request_wait_time: int | None = None,
        num_replicas: int | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        description: str | None = None,
        models: Models | None = None,
        inference_config: InferenceConfig | None = None,
        gpu_cores: int | None = None,
        period_seconds: int | None = None,
        initial_delay_seconds: int | None = None,
        timeout_seconds: int | None = None,
        success_threshold: int | None = None,
        failure_threshold: int | None = None,
        traffic_percentile: int | None = None,
        is_default: bool | None = None,
        is_control_version_type: bool | None = None,
        cpu_cores_limit: float | None = None,
        memory_gb_limit: float | None = None,
        *,
        mirror_percentile: int | None = None,
        environment: Environment | None = None,
        **others: Any,
    ) -> None:
        """Deploys a version beside the others; `wait_for_deployment` follows it.

        It takes `traffic_percentile` percent of the requests (none, unless given) from when it is healthy,
        and what no version claims if it `is_default`. It gets a copy of `mirror_percentile` percent of the
        other versions' requests, and its answers to those are dropped. `environment` is for a model that is
        deployed without an inference configuration; `others` are more parameters of `KubernetesWebservice`'s
        deploy_configuration, as environment_variables.
        """
        configuration = KubernetesWebservice.deploy_configuration(**_deployment(locals()), **others)
        body = _request(
            models or (),
            inference_config,
            configuration,
            traffic_percentile,
            is_default,
            is_control_version_type,
            mirror_percentile,
            environment,
        )
        self._change("PUT", version_name, body)

    def update_version(
        self,
        version_name: str,
        autoscale_enabled: bool | None = None,
        autoscale_min_replicas: int | None = None,
        autoscale_max_replicas: int | None = None,
        autoscale_refresh_seconds: int | None = None,
        autoscale_target_utilization: int | None = None,
        collect_model_data: bool | None = None,
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        scoring_timeout_ms: int | None = None,
        replica_max_concurrent_requests: int | None = None,
        max_request_wait_time: int | None = None,
        num_replicas: int | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        description: str | None = None,
        models: Models | None = None,
        inference_config: InferenceConfig | None = None,
        gpu_cores: int | None = None,
        period_seconds: int | None = None,
        initial_delay_seconds: int | None = None,
        timeout_seconds: int | None = None,
        success_threshold: int | None = None,
        failure_threshold: int | None = None,
        traffic_percentile: int | None = None,
        is_default: bool | None = None,
        is_control_version_type: bool | None = None,
        cpu_cores_limit: float | None = None,
        memory_gb_limit: float | None = None,
        *,
        mirror_percentile: int | None = None,
        **others: Any,
    ) -> None:
        """Replaces what is given; what is None stays. `wait_for_deployment` follows it.

        The share, the default and the control change at once, without a new generation. `others` are as in
        `create_version`.
        """
        given = {**_deployment(locals()), **others}
        configuration = self.version(version_name).deployment_configuration(**given) if given else None
        body = _request(
            models,
            inference_config,
            configuration,
            traffic_percentile,
            is_default,
            is_control_version_type,
            mirror_percentile,
        )
        if not (body.changes_what_runs or body.changes_traffic):
            raise WebserviceException(
                "Nothing to update: no part of the version was given.", code="NothingToUpdate"
            )
        self._change("PATCH", version_name, body)

    def delete_version(self, version_name: str) -> None:
        """Ends a version: it gets no request any more, and goes when it has answered those that it has."""
        connect().request("DELETE", _path(self.workspace, self.name, "versions", version_name))
        self._changed_version = None
        self.update_deployment_state()

    def set_traffic(self, shares: Mapping[str, int], default: str | None = None) -> None:
        """Divides the requests anew, in one step: percent by version, and which one takes the rest.

        Versions that are not named keep their share, but the default one makes room. Raises
        WebserviceException for shares of more than 100 in sum, and for a version that is not healthy.
        """
        body = TrafficRequest(shares=dict(shares), default=default)
        answer = connect().request("PUT", f"{self._path}/traffic", body=body.model_dump(mode="json"))
        self._changed(answer, wait=False)

    def get_measures(self) -> dict[str, Measures]:
        """What became of the newest requests of each version that had any: statuses and latencies.

        As the gateway saw it: waiting for a replica is part of a request's time.
        """
        found = connect().request("GET", f"{self._path}/measures")
        return {version: Measures.model_validate(measures) for version, measures in found.items()}

    # --- the whole -----------------------------------------------------------------------------------

    def update(  # type: ignore[override]
        self,
        auth_enabled: bool | None = None,
        token_auth_enabled: bool | None = None,
        enable_app_insights: bool | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        *,
        sticky_header: str | None = None,
    ) -> None:
        """Changes what is no version's matter, at once; what is None stays.

        With `sticky_header`, requests with the same value of that header go to the same version; "" ends it.
        """
        given = (auth_enabled, token_auth_enabled, description, tags, properties, sticky_header)
        if all(value is None for value in given):
            raise WebserviceException(
                "Nothing to update: no part of the endpoint was given. What a version runs is changed with "
                "update_version().",
                code="NothingToUpdate",
            )
        configuration = EndpointDeploymentConfiguration(
            auth_enabled=auth_enabled,
            token_auth_enabled=token_auth_enabled,
            enable_app_insights=enable_app_insights,
        )
        body = EndpointChange(
            publication=configuration.publication(),
            sticky_header=sticky_header,
            description=description,
            tags=None if tags is None else labels(tags, "tags"),
            properties=None if properties is None else labels(properties, "properties"),
        )
        self._changed(connect().request("PATCH", self._path, body=body.body()), wait=False)

    def wait_for_deployment(self, show_output: bool = False, timeout_sec: float | None = None) -> None:
        """As for a service, of the version that was changed last, else of the default one."""
        name = self._changed_version or self.default_version.name
        try:
            self.version(name).wait_for_deployment(show_output, timeout_sec)
        finally:
            self.update_deployment_state()

    def get_logs(self, num_lines: int = 5000, init: bool = False, raw: bool = False) -> str:
        """Of the default version; those of another: `versions[name].get_logs()`."""
        return self.default_version.get_logs(num_lines, init, raw)

    def reload(self, wait: bool = False) -> NoReturn:  # noqa: ARG002
        self._refuse("reload")

    def scale(self, *_arguments: Any, **_options: Any) -> NoReturn:
        self._refuse("scale")

    def debug(self, *_arguments: Any, **_options: Any) -> NoReturn:
        self._refuse("debug")

    # --- how -----------------------------------------------------------------------------------------

    @property
    def _path(self) -> str:
        return _path(self.workspace, self.name)

    def _change(self, method: str, version: str, body: VersionRequest) -> None:
        place = _path(self.workspace, self.name, "versions", version)
        answer = connect().request(method, place, body=body.body())
        self._changed(answer, wait=False)
        self._changed_version = version

    def _refuse(self, what: str) -> NoReturn:
        raise WebserviceException(
            f"An endpoint has no {what}(), its versions have: endpoint.versions[NAME].{what}(...). "
            f"{self.name!r} has: {', '.join(self.versions)}.",
            code="VersionMissing",
        )

    def _repr_html_(self) -> str:
        fields = {
            "state": self.state,
            "scoring": self.scoring_uri,
            "versions": "\n".join(version.summary for version in self.versions.values()),
            "sticky header": self.sticky_header,
            "description": self.description,
            "tags": self.tags,
        }
        return table(f"Endpoint {self.name}", fields)


class EndpointVersion(KubernetesWebservice):
    """One version of an endpoint: a service whose requests come by way of the endpoint.

    `run` sends its request to this version, whatever its share.
    """

    compute_type = Endpoint.compute_type

    def __init__(self, endpoint: Endpoint, version: VersionView) -> None:
        self._endpoint = endpoint
        self._version = version
        super().__init__(endpoint.workspace, version.name, _view=version.view)

    def __new__(cls, endpoint: Endpoint, version: VersionView) -> EndpointVersion:  # noqa: ARG004
        return object.__new__(cls)

    @property
    def traffic_percentile(self) -> int:
        """Percent of the requests that it gets."""
        return self._version.traffic_percentile

    @property
    def mirror_percentile(self) -> int:
        """Percent of the other versions' requests of which it gets a copy; its answers are dropped."""
        return self._version.mirror_percentile

    @property
    def is_default(self) -> bool:
        """Whether it takes what no other one claims."""
        return self._version.is_default

    @property
    def is_control_version_type(self) -> bool:
        return self._version.is_control

    @property
    def version_type(self) -> str:
        """ "Control", what the others are compared with, or "Treatment"."""
        kinds = Endpoint.VersionType
        return str((kinds.control if self.is_control_version_type else kinds.treatment).value)

    @property
    def summary(self) -> str:
        """ "b: 10 % of the requests, Healthy"."""
        default = ", default" if self.is_default else ""
        copies = f", copies of {self.mirror_percentile} %" if self.mirror_percentile else ""
        return f"{self.name}: {self.traffic_percentile} % of the requests{default}{copies}, {self.state}"

    @property
    def auth_enabled(self) -> bool:
        """Whether callers of the endpoint need one of its keys."""
        return self._endpoint.auth_enabled

    @property
    def token_auth_enabled(self) -> bool:
        """Whether callers of the endpoint need a token."""
        return self._endpoint.token_auth_enabled

    def update_deployment_state(self) -> None:
        """Refreshes this object, its share of the requests included."""
        super().update_deployment_state()
        whole = fetch(self.workspace, self._endpoint.name)
        self._version = next(version for version in whole.versions if version.name == self.name)

    def delete(self) -> None:
        """Ends this version, as `Endpoint.delete_version`, and waits until it is gone."""
        self._endpoint.delete_version(self.name)
        self._wait_until_gone()
        self._deleted = True

    def _replace(
        self,
        models: Models | None = None,
        inference_config: InferenceConfig | None = None,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        wait: bool = False,
    ) -> None:
        body = _request(models, inference_config, deployment_config)
        connect().request("PATCH", self._path, body=body.body())
        self.update_deployment_state()
        if wait:
            self.wait_for_deployment()

    def _check_kind(self) -> None:
        """Its endpoint has made it."""

    def _credential_headers(self) -> dict[str, str]:
        """What opens the endpoint, and picks this version of it."""
        return {**super()._credential_headers(), VERSION_HEADER: self.name}

    def _running(self) -> str:
        return (
            f"Version {self.name} of the endpoint {self._endpoint.name} is running at {self.scoring_uri}\n"
            f"The header {VERSION_HEADER}: {self.name} picks it, whatever its share of the requests."
        )

    @property
    def _path(self) -> str:
        return _path(self.workspace, self._endpoint.name, "versions", self.name)


def first_version(
    configuration: EndpointDeploymentConfiguration, name: str, deployment: DeploymentRequest
) -> EndpointRequest:
    """What creates an endpoint of that name."""
    return EndpointRequest(
        version=configuration.version_name or name,
        deployment=deployment.model_copy(update={"kind": KubernetesWebservice.kind}),
        traffic_percentile=configuration.traffic_percentile,
    )


def _path(workspace: Workspace, name: str, *below: str) -> str:
    return address("workspaces", workspace.name, "endpoints", name, *below)


def _deployment(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were given of a call's parameters, and are its deployment configuration's."""
    return {name: parameters[name] for name in _DEPLOYMENT if parameters[name] is not None}


def _request(
    models: Models | None,
    inference_config: InferenceConfig | None,
    configuration: WebserviceDeploymentConfiguration | None,
    traffic_percentile: int | None = None,
    is_default: bool | None = None,
    is_control: bool | None = None,
    mirror_percentile: int | None = None,
    environment: Environment | None = None,
) -> VersionRequest:
    from estiva.sdk.deploying import request

    check_share(traffic_percentile)
    return VersionRequest(
        deployment=request(models, inference_config, configuration, environment),
        traffic_percentile=traffic_percentile,
        is_default=is_default,
        is_control=is_control,
        mirror_percentile=mirror_percentile,
    )


AksEndpoint = Endpoint
