"""How compute targets are described: the parameters of SDK v1, checked as there, and kept."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from estiva.errors import ComputeTargetException

_RESOURCE_SEGMENTS = 9
_PURPOSES = ("FastProd", "DevTest")
_BALANCERS = ("PublicIp", "InternalLoadBalancer")


class ComputeTargetProvisioningConfiguration:
    def __init__(self, type: str, location: str | None) -> None:  # noqa: A002
        self.type = type
        self.location = location

    def validate_configuration(self) -> None:
        """Nothing to check for kinds that have nothing."""


class ComputeTargetAttachConfiguration:
    def __init__(self, type: str) -> None:  # noqa: A002
        self.type = type

    def validate_configuration(self) -> None:
        """Nothing to check for kinds that have nothing."""


class ComputeTargetUpdateConfiguration:
    def __init__(self, type: str) -> None:  # noqa: A002
        self.type = type

    def validate_configuration(self) -> None:
        """Nothing to check for kinds that have nothing."""


class _Ssl:
    """What `enable_ssl` keeps: a certificate of the user's, or a label for one that the cloud would make."""

    ssl_cname: str | None = None
    ssl_cert_pem_file: str | None = None
    ssl_key_pem_file: str | None = None
    leaf_domain_label: str | None = None
    overwrite_existing_domain: bool = False

    def enable_ssl(
        self,
        ssl_cname: str | None = None,
        ssl_cert_pem_file: str | None = None,
        ssl_key_pem_file: str | None = None,
        leaf_domain_label: str | None = None,
        overwrite_existing_domain: bool = False,
    ) -> None:
        own = (ssl_cname, ssl_cert_pem_file, ssl_key_pem_file)
        if leaf_domain_label and any(own):
            raise ComputeTargetException("Give leaf_domain_label, or ssl_cname with its two files, not both.")
        self.ssl_cname = ssl_cname
        self.ssl_cert_pem_file = ssl_cert_pem_file
        self.ssl_key_pem_file = ssl_key_pem_file
        self.leaf_domain_label = leaf_domain_label
        self.overwrite_existing_domain = overwrite_existing_domain
        self._check_ssl()

    def _check_ssl(self) -> None:
        own = (self.ssl_cname, self.ssl_cert_pem_file, self.ssl_key_pem_file)
        if any(own) and not all(own):
            raise ComputeTargetException(
                "For TLS give all of ssl_cname, ssl_cert_pem_file and ssl_key_pem_file."
            )
        for file in (self.ssl_cert_pem_file, self.ssl_key_pem_file):
            if file and not Path(file).is_file():
                raise ComputeTargetException(f"The file {file} does not exist.")


class AksProvisioningConfiguration(_Ssl, ComputeTargetProvisioningConfiguration):
    def __init__(
        self,
        agent_count: int | None = None,
        vm_size: str | None = None,
        ssl_cname: str | None = None,
        ssl_cert_pem_file: str | None = None,
        ssl_key_pem_file: str | None = None,
        location: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        service_cidr: str | None = None,
        dns_service_ip: str | None = None,
        docker_bridge_cidr: str | None = None,
        cluster_purpose: str | None = None,
        load_balancer_type: str | None = None,
        load_balancer_subnet: str | None = None,
    ) -> None:
        super().__init__("AKS", location)
        self.agent_count = agent_count
        self.vm_size = vm_size
        self.ssl_cname = ssl_cname
        self.ssl_cert_pem_file = ssl_cert_pem_file
        self.ssl_key_pem_file = ssl_key_pem_file
        self.vnet_resourcegroup_name = vnet_resourcegroup_name
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.service_cidr = service_cidr
        self.dns_service_ip = dns_service_ip
        self.docker_bridge_cidr = docker_bridge_cidr
        self.cluster_purpose = cluster_purpose
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet
        self.validate_configuration()

    def validate_configuration(self) -> None:
        if self.agent_count is not None and self.agent_count <= 0:
            raise ComputeTargetException(f"agent_count must be greater than 0, not {self.agent_count!r}.")
        network = (self.vnet_resourcegroup_name, self.vnet_name, self.subnet_name)
        if any(network) and not all(network):
            raise ComputeTargetException(
                "For a network give all of vnet_resourcegroup_name, vnet_name and subnet_name."
            )
        check_choice("cluster_purpose", self.cluster_purpose, _PURPOSES)
        check_choice("load_balancer_type", self.load_balancer_type, _BALANCERS)
        self._check_ssl()


class AksAttachConfiguration(_Ssl, ComputeTargetAttachConfiguration):
    def __init__(
        self,
        resource_group: str | None = None,
        cluster_name: str | None = None,
        resource_id: str | None = None,
        cluster_purpose: str | None = None,
        load_balancer_type: str | None = None,
        load_balancer_subnet: str | None = None,
    ) -> None:
        super().__init__("AKS")
        self.resource_group = resource_group
        self.cluster_name = cluster_name
        self.resource_id = resource_id
        self.cluster_purpose = cluster_purpose
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet
        self.validate_configuration()

    def validate_configuration(self) -> None:
        named = (self.resource_group, self.cluster_name)
        if self.resource_id and any(named):
            raise ComputeTargetException("Give resource_id, or resource_group and cluster_name, not both.")
        if not self.resource_id and not all(named):
            raise ComputeTargetException("Give resource_group and cluster_name, or resource_id.")
        if self.resource_id:
            check_resource_id(self.resource_id)
        check_choice("cluster_purpose", self.cluster_purpose, _PURPOSES)
        check_choice("load_balancer_type", self.load_balancer_type, _BALANCERS)


class SslConfiguration:
    def __init__(
        self,
        status: str | None = None,
        cert: str | None = None,
        key: str | None = None,
        cname: str | None = None,
        leaf_domain_label: str | None = None,
        overwrite_existing_domain: bool = False,
        renew: bool = False,
    ) -> None:
        self.status = status
        self.cert = cert
        self.key = key
        self.cname = cname
        self.leaf_domain_label = leaf_domain_label
        self.overwrite_existing_domain = overwrite_existing_domain
        self.renew = renew

    def serialize(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "cert": self.cert,
            "key": self.key,
            "cname": self.cname,
            "leafDomainLabel": self.leaf_domain_label,
            "overwriteExistingDomain": self.overwrite_existing_domain,
            "renew": self.renew,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, Any]) -> SslConfiguration:
        return SslConfiguration(
            status=object_dict.get("status"),
            cert=object_dict.get("cert"),
            key=object_dict.get("key"),
            cname=object_dict.get("cname"),
            leaf_domain_label=object_dict.get("leafDomainLabel"),
            overwrite_existing_domain=bool(object_dict.get("overwriteExistingDomain")),
            renew=bool(object_dict.get("renew")),
        )


class AksUpdateConfiguration(ComputeTargetUpdateConfiguration):
    def __init__(
        self,
        ssl_configuration: SslConfiguration | None = None,
        load_balancer_type: str | None = None,
        load_balancer_subnet: str | None = None,
    ) -> None:
        super().__init__("AKS")
        self.ssl_configuration = ssl_configuration
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet
        self.validate_configuration()

    def validate_configuration(self) -> None:
        check_choice("load_balancer_type", self.load_balancer_type, _BALANCERS)


class SystemService:
    def __init__(self, service_type: str, version: str, public_ip_address: str) -> None:
        self.service_type = service_type
        self.version = version
        self.public_ip_address = public_ip_address

    def serialize(self) -> dict[str, str]:
        return {
            "serviceType": self.service_type,
            "version": self.version,
            "publicIpAddress": self.public_ip_address,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, str]) -> SystemService:
        return SystemService(
            object_dict["serviceType"], object_dict["version"], object_dict["publicIpAddress"]
        )


class KubernetesComputeAttachConfiguration(ComputeTargetAttachConfiguration):
    def __init__(
        self,
        resource_id: str | None = None,
        namespace: str | None = None,
        identity_type: str | None = None,
        identity_ids: str | list[str] | None = None,
    ) -> None:
        super().__init__("Kubernetes")
        self.resource_id = resource_id
        self.namespace = namespace
        self.identity_type = identity_type
        self.identity_ids = identity_ids
        self.validate_configuration()

    def to_dict(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "type"}

    def validate_configuration(self) -> None:
        if not self.resource_id:
            raise ComputeTargetException("Give the resource_id of the cluster.")
        check_resource_id(self.resource_id)


class KubernetesComputeStatus:
    def __init__(self, creation_time: datetime, modified_time: datetime, provisioning_state: str) -> None:
        self.creation_time = creation_time
        self.modified_time = modified_time
        self.provisioning_state = provisioning_state

    def serialize(self) -> dict[str, str]:
        return {
            "creationTime": self.creation_time.isoformat(),
            "modifiedTime": self.modified_time.isoformat(),
            "provisioningState": self.provisioning_state,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, str]) -> KubernetesComputeStatus:
        return KubernetesComputeStatus(
            datetime.fromisoformat(object_dict["creationTime"]),
            datetime.fromisoformat(object_dict["modifiedTime"]),
            object_dict["provisioningState"],
        )


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise ComputeTargetException(f"{name} must be one of {', '.join(choices)}, not {value!r}.")


def check_resource_id(resource_id: str) -> None:
    if len(resource_id.split("/")) != _RESOURCE_SEGMENTS:
        raise ComputeTargetException(
            f"{resource_id!r} is not the id of a cluster: it has {_RESOURCE_SEGMENTS} parts, "
            "/subscriptions/S/resourceGroups/G/providers/P/TYPE/NAME."
        )
