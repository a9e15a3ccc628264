"""azureml.core.webservice.aci."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from estiva.azureml.aks import refuse_image
from estiva.azureml.webservice import Webservice
from estiva.sdk import container as sdk
from estiva.sdk.container import (
    ContainerWebserviceDeploymentConfiguration as AciServiceDeploymentConfiguration,
)
from estiva.sdk.resources import EncryptionProperties, VnetConfiguration

__all__ = ["AciServiceDeploymentConfiguration", "AciWebservice"]


class AciWebservice(Webservice, sdk.ContainerWebservice, kind="container"):
    """A service on a port of its own: a container where an engine answers, else a process."""

    def update(  # type: ignore[override]
        self,
        image: Any = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        description: str | None = None,
        auth_enabled: bool | None = None,
        ssl_enabled: bool | None = None,
        ssl_cert_pem_file: str | None = None,
        ssl_key_pem_file: str | None = None,
        ssl_cname: str | None = None,
        enable_app_insights: bool | None = None,
        models: Sequence[Any] | None = None,
        inference_config: Any = None,
    ) -> None:
        """Replaces what is given; wait_for_deployment() then waits for it."""
        refuse_image(image)
        configuration = {
            "tags": tags,
            "properties": properties,
            "description": description,
            "auth_enabled": auth_enabled,
            "ssl_enabled": ssl_enabled,
            "ssl_cert_pem_file": ssl_cert_pem_file,
            "ssl_key_pem_file": ssl_key_pem_file,
            "ssl_cname": ssl_cname,
            "enable_app_insights": enable_app_insights,
        }
        self._update(models, inference_config, configuration)

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def encryption_properties(self) -> EncryptionProperties | None:
        kept = self._kept()
        names = ("cmk_vault_base_url", "cmk_key_name", "cmk_key_version")
        return EncryptionProperties(*(kept[name] for name in names)) if names[0] in kept else None

    @property
    def vnet_configuration(self) -> VnetConfiguration | None:
        kept = self._kept()
        return VnetConfiguration(kept["vnet_name"], kept["subnet_name"]) if "vnet_name" in kept else None

    @property
    def ssl_certificate(self) -> str | None:
        """The path that the script gave."""
        return self._path_of("ssl_cert_pem_file")

    @property
    def ssl_key(self) -> str | None:
        """The path that the script gave."""
        return self._path_of("ssl_key_pem_file")

    def _path_of(self, name: str) -> str | None:
        kept = self._kept().get(name)
        return None if kept is None else str(kept)

    def serialize(self) -> dict[str, Any]:
        encryption, network = self.encryption_properties, self.vnet_configuration
        return {
            **super().serialize(),
            "appInsightsEnabled": self.enable_app_insights,
            "authEnabled": self.auth_enabled,
            "cname": self.cname,
            "containerResourceRequirements": self.container_resource_requirements.serialize(),
            "encryptionProperties": encryption and encryption.serialize(),
            "vnetConfiguration": network and network.serialize(),
            "location": self.location,
            "publicIp": self.public_ip,
            "publicFqdn": self.public_fqdn,
            "sslEnabled": self.ssl_enabled,
        }
