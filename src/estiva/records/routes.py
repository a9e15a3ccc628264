"""What the gateway is handed: where requests arrive, who may send them, and which replicas answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from estiva.records.base import Record
from estiva.records.probes import Probe

VERSION_HEADER = "x-estiva-version"
"""Picks a version of an endpoint by name, whatever its percentage: to try it before it gets traffic."""


class Member(Record):
    """One server in the pool behind a version: a replica's address under a name that is unique in it."""

    name: str
    """"g3-0": generation 3, replica 0."""
    address: str


class Listener(Record):
    """A published port."""

    host: str
    port: int
    certificate: str | None = None
    """Path of a PEM file with certificate, chain and private key: TLS 1.2 or newer is then required."""


class Version(Record):
    """Replicas that run the same thing, and their limits. A service has one, an endpoint several."""

    name: str
    members: tuple[Member, ...]
    concurrency: int
    """Requests that one replica takes at a time; the rest wait."""
    wait_ms: int
    timeout_ms: int
    """The server's own deadline; the gateway's fires a grace time later."""
    body_limit: int
    weight: int = 0
    """Percent of the requests. What no version claims goes to the default one."""
    is_default: bool = False
    mirror: int = 0
    """Percent of the other versions' scoring requests of which it gets a copy; its answers are dropped."""
    hold_ms: int = 0
    """How long requests wait while there is no replica at all, and one is being started; 0: 503 at once."""
    probe: Probe = Probe()


class Access(Record):
    """Who may send requests: holders of a key, or of a token that was signed for this route."""

    key_hashes: tuple[str, ...] = ()
    """SHA-256 of each key, in upper-case hexadecimal digits. The gateway never sees where they come from."""
    token_key: str | None = None
    """Path of a PEM file with the RSA public key that verifies tokens (RS256); None: no token is accepted.

    A token's claims are `service`, the route's id, `grant`, and `exp`, seconds since the epoch.
    """
    token_grant: str | None = None
    """The grant of the tokens that are accepted; with another one in its place they are revoked at once."""
    requests_per_second: int | None = None
    """What one key or token may send; None: no limit."""


class Route(Record):
    """A service or an endpoint: the addresses where it is published, and the versions behind them."""

    name: str
    kind: Literal["service", "endpoint"] = "service"
    versions: tuple[Version, ...] = Field(min_length=1)
    listener: Listener | None = None
    """A port of its own, with `/score`."""
    shared: bool = False
    """Also on the workspace's port, at `/api/v1/service/NAME/score` or `/api/v1/endpoint/NAME/score`."""
    access: Access | None = None
    """None: anybody."""
    sticky_header: str | None = None
    """Requests with the same value of this header go to the same version."""

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def default(self) -> Version:
        """Which version takes what no other claims."""
        return next((version for version in self.versions if version.is_default), self.versions[0])

    def pool(self, version: str) -> str:
        """What the gateway calls the replicas of one version."""
        return f"{self.id}:{version}"


class Load(Record):
    """What one version's replicas have to do now, and have done since the gateway's last reload."""

    route: str
    """The route's id."""
    version: str
    busy: int
    queued: int
    """Those that wait because there is no replica at all included."""
    ready: int
    """Replicas that take requests."""
    requests: int
    rejected: int
    """Requests that no replica took in time: the gateway's own 503s, and no other."""
    errors: int
    """Answers with a status from 500, those of the gateway itself included."""
    process: int
    """Whose counts these are: another process, after a reload, began at 0."""
