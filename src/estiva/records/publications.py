"""How a service is published: where, for whom, and as how many replicas."""

from __future__ import annotations

from datetime import datetime

from pydantic import SecretStr

from estiva.records.base import Record


class Certificate(Record):
    """What is shown of a TLS certificate; its text and its key are among the `Credentials`."""

    name: str
    """The host name that callers use, one of those that it was issued for."""
    expires: datetime


class Publication(Record):
    host: str = "127.0.0.1"
    port: int | None = None
    """None: only by path, on the port that all services of the workspace share."""
    auth_enabled: bool = False
    """Callers need one of two keys."""
    token_auth_enabled: bool = False
    """Callers need a token, which expires."""
    tls: Certificate | None = None
    rate_limit: int | None = None
    """Requests in a second that each key (without keys, each address) may send."""


class Credentials(Record):
    """What a service's callers prove themselves with, and what it proves itself with. Never in a view or a log."""

    primary_key: SecretStr
    secondary_key: SecretStr
    certificate: str | None = None
    """The chain as PEM, the service's own certificate first."""
    private_key: SecretStr | None = None
    """As PEM."""


class Scaling(Record):
    """How many replicas are wanted. Not part of a generation: a service scales without being deployed again."""

    replicas: int = 1
    reason: str = ""
    """Why this many, where it was not the user who said so."""
