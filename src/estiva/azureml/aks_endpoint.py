"""azureml.core.webservice.aks.AksEndpoint."""

from __future__ import annotations

from typing import Any

from estiva.azureml.aks import AksWebservice
from estiva.sdk import endpoint as sdk
from estiva.sdk.endpoint_configuration import (
    EndpointDeploymentConfiguration as AksEndpointDeploymentConfiguration,
)

__all__ = ["AksEndpoint", "AksEndpointDeploymentConfiguration"]


class AksEndpoint(AksWebservice, sdk.Endpoint, kind="endpoint"):
    """Several versions behind one address, each with a share of the requests."""

    compute_type = sdk.Endpoint.compute_type

    deploy_configuration = AksEndpointDeploymentConfiguration

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
        """Changes what is no version's matter, at once."""
        if enable_app_insights is not None:
            self.keep({"enable_app_insights": enable_app_insights})
        changes = (auth_enabled, token_auth_enabled, description, tags, properties, sticky_header)
        if enable_app_insights is None or any(value is not None for value in changes):
            sdk.Endpoint.update(
                self,
                auth_enabled,
                token_auth_enabled,
                None,
                description,
                tags,
                self._more_properties(properties),
                sticky_header=sticky_header,
            )

    def delete_version(self, version_name: str) -> None:
        """Returns when the version is gone."""
        version = self.version(version_name)
        super().delete_version(version_name)
        version._wait_until_gone()  # noqa: SLF001  a part of this object
        self.update_deployment_state()

    def _relabel(self, **changes: dict[str, str] | None) -> None:
        sdk.Endpoint.update(self, **changes)  # type: ignore[arg-type]

    def serialize(self) -> dict[str, Any]:
        versions = {
            name: {
                "name": name,
                "state": version.state,
                "isDefault": version.is_default,
                "trafficPercentile": version.traffic_percentile,
                "versionType": version.version_type,
                "description": version.description,
                "tags": version.tags,
            }
            for name, version in self.versions.items()
        }
        return {**super().serialize(), "versions": versions}
