"""Where a service is published: from what was asked for to a publication, and from that to its address."""

from __future__ import annotations

from collections.abc import Collection

from estiva.errors import GatewayException, WebserviceException
from estiva.gateway import ports
from estiva.messages import PublicationRequest
from estiva.records import Publication, Service, ServiceKey, ServiceKind

_LOOPBACK_NAMES = ("127.0.0.1", "0.0.0.0", "::")  # noqa: S104  a comparison


def published(kind: ServiceKind, wanted: PublicationRequest, services: Collection[Service]) -> Publication:
    """How a new service is published, beside those that are there.

    One of the Kubernetes kind shares the workspace's port unless it wants another, and asks for keys unless
    it is told not to.
    """
    if kind == "kubernetes" and wanted.port is None:
        return Publication(auth_enabled=wanted.auth_enabled is not False)
    host = wanted.host or Publication().host
    port = _choose_port(host, wanted.port, services)
    return Publication(host=host, port=port, auth_enabled=bool(wanted.auth_enabled))


def changed(key: ServiceKey, before: Publication, wanted: PublicationRequest) -> Publication:
    """A service keeps its port for life, so that its callers' URL stays true."""
    if wanted.port not in (None, before.port):
        raise WebserviceException(
            f"The service {key.service!r} is published on port {before.port}, which does "
            f"not change in an update. Leave the port out, or delete the service and deploy it anew.",
            code="PortChange",
        )
    if wanted.auth_enabled is None:
        return before
    return before.model_copy(update={"auth_enabled": wanted.auth_enabled})


def check_gateway(publication: Publication, available: bool) -> None:
    """Raises GatewayException if only a gateway can publish the service so, and there is none."""
    if not available and (publication.auth_enabled or publication.port is None):
        raise GatewayException(
            "A service that asks for keys, or shares its workspace's port, needs HAProxy, and none was "
            "found. Install haproxy 2.6 or newer, or deploy a Local service without keys.",
            code="HAProxyMissing",
        )


def scoring_uri(key: ServiceKey, publication: Publication, shared_port: int | None) -> str:
    """The address as callers on this machine use it."""
    if publication.port is None:
        return f"http://localhost:{shared_port}/api/v1/service/{key.service}/score"
    host = "localhost" if publication.host in _LOOPBACK_NAMES else publication.host
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{publication.port}/score"


def shared_port(taken: Collection[int | None]) -> int:
    """A free port for all services of a workspace."""
    host = Publication().host
    port = ports.free_port(host)
    while port in taken:
        port = ports.free_port(host)
    return port


def _choose_port(host: str, wanted: int | None, services: Collection[Service]) -> int:
    taken = {service.publication.port: service.key for service in services if service.publication}
    if wanted is None:
        port = ports.free_port(host)
        while port in taken:
            port = ports.free_port(host)
        return port
    if wanted in taken:
        raise WebserviceException(
            f"Port {wanted} belongs to the service {taken[wanted]}. "
            "Choose another port, leave the port out to get a free one, or delete that service.",
            code="PortInUse",
        )
    check_port(host, wanted)
    return wanted


def check_port(host: str, port: int) -> None:
    """Raises WebserviceException with who has the port, if somebody has."""
    holder = ports.holder(host, port)
    if holder is not None:
        raise WebserviceException(
            f"Port {port} on {host} is in use by {holder}. "
            "Choose another port, leave the port out to get a free one, or end that program.",
            code="PortInUse",
        )
