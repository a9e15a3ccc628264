"""How it is found out that a replica does not answer any more."""

from __future__ import annotations

from pydantic import Field

from estiva.records.base import Record


class Probe(Record):
    """How the gateway asks a replica for its health."""

    period_seconds: float = Field(default=2.0, gt=0)
    timeout_seconds: float = Field(default=5.0, gt=0)
    failure_threshold: int = Field(default=3, ge=1)
    """After so many failures in a row a replica gets no more requests."""
    success_threshold: int = Field(default=1, ge=1)
    """After so many successes in a row it gets them again."""
