"""Small value classes of SDK v1: what a service is given, and how it is watched. Kept as they are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing_extensions import Self


class Payload:
    """Serializes to a dict with the keys of SDK v1's service, in camel case, and back."""

    _keys: ClassVar[dict[str, str]]
    """Attribute -> key."""

    def serialize(self) -> dict[str, Any]:
        return {key: getattr(self, name) for name, key in self._keys.items()}

    @classmethod
    def deserialize(cls, payload_obj: dict[str, Any] | None) -> Self | None:
        if payload_obj is None:
            return None
        return cls(**{name: payload_obj.get(key) for name, key in cls._keys.items()})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.serialize()})"


@dataclass(repr=False)
class ResourceConfiguration(Payload):
    cpu: float | None = None
    memory_in_gb: float | None = None
    gpu: int | None = None

    _keys = {"cpu": "cpu", "memory_in_gb": "memoryInGB", "gpu": "gpu"}


@dataclass(repr=False)
class ContainerResourceRequirements(Payload):
    cpu: float | None
    memory_in_gb: float | None
    gpu: int | None = None
    cpu_limit: float | None = None
    memory_in_gb_limit: float | None = None

    _keys = {
        "cpu": "cpu",
        "memory_in_gb": "memoryInGB",
        "gpu": "gpu",
        "cpu_limit": "cpuLimit",
        "memory_in_gb_limit": "memoryInGBLimit",
    }


@dataclass(repr=False)
class LivenessProbeRequirements(Payload):
    period_seconds: int | None
    initial_delay_seconds: int | None
    timeout_seconds: int | None
    success_threshold: int | None
    failure_threshold: int | None

    _keys = {
        "period_seconds": "periodSeconds",
        "initial_delay_seconds": "initialDelaySeconds",
        "timeout_seconds": "timeoutSeconds",
        "success_threshold": "successThreshold",
        "failure_threshold": "failureThreshold",
    }


@dataclass(repr=False)
class AutoScaler(Payload):
    autoscale_enabled: bool | None
    max_replicas: int | None
    min_replicas: int | None
    refresh_period_seconds: int | None
    target_utilization: int | None

    _keys = {
        "autoscale_enabled": "autoscaleEnabled",
        "max_replicas": "maxReplicas",
        "min_replicas": "minReplicas",
        "refresh_period_seconds": "refreshPeriodInSeconds",
        "target_utilization": "targetUtilization",
    }


@dataclass(repr=False)
class DataCollection(Payload):
    event_hub_enabled: bool | None
    storage_enabled: bool | None

    _keys = {"event_hub_enabled": "eventHubEnabled", "storage_enabled": "storageEnabled"}


@dataclass(repr=False)
class EncryptionProperties(Payload):
    cmk_vault_base_url: str | None
    cmk_key_name: str | None
    cmk_key_version: str | None

    _keys = {
        "cmk_vault_base_url": "vaultBaseUrl",
        "cmk_key_name": "keyName",
        "cmk_key_version": "keyVersion",
    }


@dataclass(repr=False)
class VnetConfiguration(Payload):
    vnet_name: str | None
    subnet_name: str | None

    _keys = {"vnet_name": "vnetName", "subnet_name": "subnetName"}
