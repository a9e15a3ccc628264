"""How many replicas a service has, and what autoscaling goes by."""

from __future__ import annotations

from pydantic import Field

from estiva.records.base import Record


class LoadSample(Record):
    """What the gateway saw of a service at one moment, and since the observation before.

    The gateway's own `Load` counts from its last reload on; here the differences are what counts.
    """

    time: float
    """Seconds on a clock that never goes back."""
    busy: int
    """Requests that run in replicas."""
    queued: int
    """Requests that wait for a replica."""
    arrivals: int
    """Requests that came since the observation before, whatever became of them."""
    rejected: int
    """Requests answered 503 since the observation before, as no replica was free in time; no other 5xx."""


class AutoscalePolicy(Record):
    """How a service scales."""

    min_replicas: int = Field(default=1, ge=0)
    """0 lets a service without requests go to zero."""
    max_replicas: int = Field(default=10, ge=1)
    refresh_seconds: float = Field(default=1.0, gt=0)
    target_utilization: float = Field(default=0.7, gt=0)
    """The share of the replicas' concurrency that is to be in use: a fraction, 0.7 for 70 %."""
    concurrency: int = Field(default=1, ge=1)
    """Requests that one replica handles at a time. Nobody's wish: it is what the replicas say."""
    shrink_seconds: float = Field(default=60.0, ge=0)
    """For how long fewer replicas must have been enough before there are fewer."""
    idle_seconds: float = Field(default=300.0, ge=0)
    """For how long no request must have come before all replicas go, with `min_replicas` 0."""


class Scaling(Record):
    """How many replicas are wanted. No part of a generation: a service scales without a new deployment."""

    replicas: int = Field(default=1, ge=0)
    """0: the service is scaled to zero, and the next request starts one."""
    autoscale: AutoscalePolicy | None = None
    """How the number follows the load; None: it stays as it is."""
    reason: str = ""
    """Why so many, if the load decided it."""
    limit: str = ""
    """Why there cannot be as many as were asked for: a sentence for people; empty if there can."""

    @property
    def to_zero(self) -> bool:
        """Whether having no replica at all is as it should be."""
        return self.autoscale is not None and self.autoscale.min_replicas == 0
