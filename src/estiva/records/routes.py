"""What the gateway is handed."""

from __future__ import annotations

from estiva.records.base import Record


class Endpoint(Record):
    """One server behind a route: a replica's address under a name that is unique in the route."""

    name: str
    """"g3-0": generation 3, replica 0."""
    address: str


class Route(Record):
    """A published port and the replicas behind it."""

    service: str
    host: str
    port: int
    endpoints: tuple[Endpoint, ...]
    concurrency: int
    """Requests that one replica handles at a time; the rest wait."""
    wait_ms: int
    timeout_ms: int
    """The server's own deadline; the gateway's fires a grace time later."""
    body_limit: int
