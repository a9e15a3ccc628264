"""How a service is deployed: what the configurations of every kind have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import SecretStr

from estiva.errors import WebserviceException
from estiva.messages import PublicationRequest, ScalingRequest
from estiva.records import Runtime, ServiceKind, ServiceSettings, StopAfter
from estiva.sdk.tls import PemFile, certificate_request

_LOWEST_PORT, _HIGHEST_PORT = 1, 65535


class WebserviceDeploymentConfiguration:
    """Base of the kinds' configurations.

    `environment_variables` and `secrets` reach the score script; the values of secrets never show in output
    (None: none, or in an update, as they are). `scoring_timeout_ms`: a request's deadline.
    `init_timeout_sec`: how long init() may take. `runtime`: where replicas run: "process", "docker", or
    "auto", in a container only if the environment asks for one (base image, Dockerfile). `debug`: tracebacks
    in the answers when run() fails. `until`: the step after which the deployment stops, to be looked at with
    `service.shell()`.
    `auth_enabled`: callers need one of two keys (None: they need none, or in an update, as it is), which are
    random unless `primary_key` and `secondary_key` are given. `requests_per_second`: what one key or
    token may send (0: no limit any more). `ssl_enabled`: the service's port speaks TLS, with the certificate
    and the unprotected key in two PEM files, for the host name `ssl_cname`.
    """

    kind: ClassVar[ServiceKind]
    """Of the services that are deployed with it."""

    def __init__(
        self,
        *,
        scoring_timeout_ms: int = 60_000,
        init_timeout_sec: float = 600.0,
        runtime: Runtime = "auto",
        debug: bool = False,
        until: StopAfter | None = None,
        auth_enabled: bool | None = None,
        primary_key: str | None = None,
        secondary_key: str | None = None,
        requests_per_second: int | None = None,
        ssl_enabled: bool | None = None,
        ssl_cert_pem_file: PemFile | None = None,
        ssl_key_pem_file: PemFile | None = None,
        ssl_cname: str | None = None,
        environment_variables: dict[str, str] | None = None,
        secrets: dict[str, str] | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
    ) -> None:
        self.scoring_timeout_ms = scoring_timeout_ms
        self.init_timeout_sec = init_timeout_sec
        self.runtime = runtime
        self.debug = debug
        self.until = until
        self.auth_enabled = auth_enabled
        self.primary_key = primary_key
        self.secondary_key = secondary_key
        self.requests_per_second = requests_per_second
        self.ssl_enabled = ssl_enabled
        self.ssl_cert_pem_file = ssl_cert_pem_file
        self.ssl_key_pem_file = ssl_key_pem_file
        self.ssl_cname = ssl_cname
        self.environment_variables = environment_variables or {}
        self.secrets = secrets
        self.description = description
        self.tags = tags
        self.properties = properties

    def validate_configuration(self) -> None:
        """Raises WebserviceException for a value that cannot be used."""
        for name in ("scoring_timeout_ms", "init_timeout_sec"):
            if getattr(self, name) <= 0:
                raise WebserviceException(f"{name} must be greater than 0.", code="TimeoutInvalid")

        self._check_tls()

    def scaling(self) -> ScalingRequest | None:
        """How many replicas are to serve; None: one, or in an update, as many as do."""
        return None

    def settings(self) -> ServiceSettings:
        """What travels to the control server."""
        return ServiceSettings(
            scoring_timeout_ms=self.scoring_timeout_ms,
            init_timeout_seconds=self.init_timeout_sec,
            runtime=self.runtime,
            debug=self.debug,
            until=self.until,
        )

    def print_deploy_configuration(self) -> None:
        """Says in a line or two how the service is deployed."""
        print(f"{self.kind.capitalize()} service")

    def _check_tls(self) -> None:
        if self.ssl_enabled:
            needed = ("ssl_cert_pem_file", "ssl_key_pem_file", "ssl_cname")
            missing = [name for name in needed if not getattr(self, name)]
            if missing:
                raise WebserviceException(
                    f"ssl_enabled needs {' and '.join(missing)} too. `estiva certificate create` makes a "
                    "certificate and its key for trying.",
                    code="CertificateMissing",
                )
        certificate_request(self.ssl_cert_pem_file, self.ssl_key_pem_file, self.ssl_cname)

    def publication(self) -> PublicationRequest:
        """Where the service is to be published, and for whom."""
        return PublicationRequest(
            requests_per_second=self.requests_per_second,
            ssl_enabled=self.ssl_enabled,
            certificate=certificate_request(self.ssl_cert_pem_file, self.ssl_key_pem_file, self.ssl_cname),
            auth_enabled=self.auth_enabled,
            primary_key=None if self.primary_key is None else SecretStr(self.primary_key),
            secondary_key=None if self.secondary_key is None else SecretStr(self.secondary_key),
        )


def check_port(port: Any) -> None:
    """Raises WebserviceException for what is neither a port nor None."""
    if port is None:
        return
    if not isinstance(port, int) or isinstance(port, bool) or not _LOWEST_PORT <= port <= _HIGHEST_PORT:
        raise WebserviceException(
            f"port {port!r} is not a port: use an integer from {_LOWEST_PORT} to {_HIGHEST_PORT}, "
            "or leave it out for a free one.",
            code="PortInvalid",
        )
