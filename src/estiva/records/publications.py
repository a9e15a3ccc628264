"""How a service is published: where, and for whom."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, SecretStr

from estiva.records.base import Record


class Certificate(Record):
    """A TLS certificate as its callers see it; the private key is in a file and in no record."""

    name: str
    """Of the host, as callers write it in their URL."""
    expires: datetime
    chain: str
    """PEM: the certificate itself, then those that lead to its authority."""
    file: str
    """With the private key, among the secrets of the workspace."""


class Publication(Record):
    """Where callers reach a service."""

    host: str = "127.0.0.1"
    port: int | None = None
    auth_enabled: bool = False
    """Callers need one of the service's two keys."""
    token_auth_enabled: bool = False
    """Callers need a token that was signed for the service; never beside keys."""
    requests_per_second: int | None = Field(default=None, ge=1)
    """What one key or token may send; None: no limit."""
    certificate: Certificate | None = None
    """Of the service's own port, which then speaks TLS alone."""

    @property
    def asks_callers(self) -> bool:
        return self.auth_enabled or self.token_auth_enabled


class Credentials(Record):
    """The keys that callers of a service send. Never in a view or a log."""

    primary_key: SecretStr
    secondary_key: SecretStr
    token_grant: str
    """Names the tokens that are good; another one in its place revokes them all."""
