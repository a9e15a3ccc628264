"""A service as a cluster is to run it."""

from __future__ import annotations

from pydantic import Field

from estiva.records.autoscaling import AutoscalePolicy
from estiva.records.base import Record
from estiva.records.services import ServiceSettings


class Workload(Record):
    """What the manifests of one service are made from."""

    name: str
    namespace: str | None = None
    """None: the one that they are applied to."""
    image: str
    """An image that `estiva package` made, where the cluster's nodes can pull it."""
    replicas: int = Field(default=1, ge=1)
    autoscale: AutoscalePolicy | None = None
    """Between its bounds the cluster changes the number of replicas itself, by their use of CPU."""
    settings: ServiceSettings = ServiceSettings()
    variables: dict[str, str] = {}
    secrets: tuple[str, ...] = ()
    """Names of the cluster's Secrets whose entries are variables of the score script."""
    pull_secrets: tuple[str, ...] = ()
    """Names of the cluster's Secrets with which the image is pulled."""
    annotations: dict[str, str] = {}
