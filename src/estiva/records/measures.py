"""What became of the requests of a service, or of a version of an endpoint."""

from __future__ import annotations

from datetime import datetime

from estiva.records.base import Record


class Measures(Record):
    """Of the newest requests that the gateway has in its log; milliseconds, waiting included."""

    requests: int
    statuses: dict[str, int]
    """How many were answered with each status."""
    p50_ms: float
    p95_ms: float
    p99_ms: float
    since: datetime
    """When the oldest of them ended."""
