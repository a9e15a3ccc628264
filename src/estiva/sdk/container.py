"""Services of the Container kind: a container with limits, on a port of its own; AciWebservice in SDK v1."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any
from urllib.parse import urlsplit

from estiva.errors import WebserviceException
from estiva.messages import PublicationRequest
from estiva.records import ServiceSettings
from estiva.sdk.access import WithoutTokens
from estiva.sdk.configuration import WebserviceDeploymentConfiguration, check_port
from estiva.sdk.inference import InferenceConfig
from estiva.sdk.kubernetes import CPU_CORES, GB, MEMORY_GB
from estiva.sdk.model import Model
from estiva.sdk.resources import ContainerResourceRequirements
from estiva.sdk.tls import PemFile
from estiva.sdk.webservice import Webservice

_KEY = ("cmk_vault_base_url", "cmk_key_name", "cmk_key_version")
_NETWORK = ("vnet_name", "subnet_name")
_WITHOUT_EFFECT = (
    *("location", "enable_app_insights", "dns_name_label"),
    *(*_KEY, *_NETWORK),
)


class ContainerWebserviceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """How a Container service is deployed; the parameters and their rules are those of SDK v1.

    `cpu_cores` and `memory_gb` are enforced as limits if they are given; else the container may use what the
    machine has. `gpu_cores`: GPUs that it gets. `port` and `host` as for a Local service. Of what only Azure
    has, `print_deploy_configuration` says that it has no effect. Where no container engine answers, the
    service is a process, without limits, and says so.
    """

    kind = "container"

    def __init__(
        self,
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        description: str | None = None,
        location: str | None = None,
        auth_enabled: bool | None = None,
        ssl_enabled: bool | None = None,
        enable_app_insights: bool | None = None,
        ssl_cert_pem_file: PemFile | None = None,
        ssl_key_pem_file: PemFile | None = None,
        ssl_cname: str | None = None,
        dns_name_label: str | None = None,
        primary_key: str | None = None,
        secondary_key: str | None = None,
        collect_model_data: bool | None = None,
        cmk_vault_base_url: str | None = None,
        cmk_key_name: str | None = None,
        cmk_key_version: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        *,
        gpu_cores: int | None = None,
        port: int | None = None,
        host: str = "127.0.0.1",
        **others: Any,
    ) -> None:
        super().__init__(
            tags=tags,
            properties=properties,
            description=description,
            auth_enabled=auth_enabled,
            ssl_enabled=ssl_enabled,
            ssl_cert_pem_file=ssl_cert_pem_file,
            ssl_key_pem_file=ssl_key_pem_file,
            ssl_cname=ssl_cname,
            primary_key=primary_key,
            secondary_key=secondary_key,
            **others,
        )
        self.cpu_cores = cpu_cores
        self.memory_gb = memory_gb
        self.gpu_cores = gpu_cores
        self.location = location
        self.enable_app_insights = enable_app_insights
        self.dns_name_label = dns_name_label
        self.collect_model_data = collect_model_data
        self.cmk_vault_base_url = cmk_vault_base_url
        self.cmk_key_name = cmk_key_name
        self.cmk_key_version = cmk_key_version
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.port = port
        self.host = host
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Raises WebserviceException for the first problem."""
        for name in ("cpu_cores", "memory_gb"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise _invalid(f"{name} must be greater than 0, not {value!r}.")
        if self.gpu_cores is not None and self.gpu_cores < 0:
            raise _invalid(f"gpu_cores must be 0 or more, not {self.gpu_cores!r}.")
        self._check_all_or_none(_KEY)
        self._check_all_or_none(_NETWORK)
        check_port(self.port)
        super().validate_configuration()

    def _check_all_or_none(self, names: Sequence[str]) -> None:
        missing = [name for name in names if not getattr(self, name)]
        if missing and len(missing) < len(names):
            raise _invalid(f"{', '.join(names)} go together: give {' and '.join(missing)} too, or none.")

    def settings(self) -> ServiceSettings:
        memory = None if self.memory_gb is None else round(self.memory_gb * GB)
        limits = {
            "cpu_reserved": self.cpu_cores,
            "cpu_limit": self.cpu_cores,
            "memory_reserved": memory,
            "memory_limit": memory,
            "gpus": self.gpu_cores or 0,
        }
        return super().settings().model_copy(update=limits)

    def publication(self) -> PublicationRequest:
        return super().publication().model_copy(update={"host": self.host, "port": self.port})

    def print_deploy_configuration(self) -> None:
        memory = "none" if self.memory_gb is None else f"{self.memory_gb:g} GB"
        limits = f"CPU limit {self.cpu_cores or 'none'}, memory limit {memory}"
        print(f"Container service, {limits}, port {self.port or 'chosen when it is deployed'}")
        without = [name for name in _WITHOUT_EFFECT if getattr(self, name) is not None]
        if without:
            print(f"Of no effect here: {', '.join(without)}")


def _invalid(problem: str) -> WebserviceException:
    return WebserviceException(problem, code="ConfigurationInvalid")


class ContainerWebservice(WithoutTokens, Webservice, kind="container"):
    """A service in a container, published on a port of its own."""

    compute_type = "ACI"

    deploy_configuration = ContainerWebserviceDeploymentConfiguration

    def update(
        self,
        *,
        models: Sequence[Model | str | PathLike[str]] | None = None,
        inference_config: InferenceConfig | None = None,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        wait: bool = False,
        **configuration: Any,
    ) -> None:
        """Replaces what is given; parameters of deploy_configuration may be given one by one."""
        if configuration:
            deployment_config = self.deployment_configuration(**configuration)
        self._replace(models, inference_config, deployment_config, wait)

    @property
    def container_resource_requirements(self) -> ContainerResourceRequirements:
        """Its limits; where there is none, what SDK v1 would reserve."""
        settings = self._view.desired.spec.settings
        memory = settings.memory_limit
        return ContainerResourceRequirements(
            cpu=settings.cpu_limit or CPU_CORES,
            memory_in_gb=MEMORY_GB if memory is None else memory / GB,
        )

    @property
    def location(self) -> str:
        return self.workspace.location

    @property
    def cname(self) -> str | None:
        """The host name that its certificate is for."""
        return None if self._certificate is None else self._certificate.name

    @property
    def public_ip(self) -> str | None:
        """The address that it listens on."""
        publication = self._view.service.publication
        return None if publication is None else publication.host

    @property
    def public_fqdn(self) -> str | None:
        """The host's name in its scoring URI."""
        return None if self.scoring_uri is None else urlsplit(self.scoring_uri).hostname

    def _configured(self) -> dict[str, Any]:
        settings = self._view.desired.spec.settings
        return super()._configured() | {
            "cpu_cores": settings.cpu_limit,
            "memory_gb": None if settings.memory_limit is None else settings.memory_limit / GB,
            "gpu_cores": settings.gpus or None,
        }


AciWebservice = ContainerWebservice
