"""TLS as the user of a service meets it: certificate files, when one ends, and whom `run()` trusts."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path

from pydantic import SecretStr

from estiva.errors import WebserviceException
from estiva.messages import CertificateRequest
from estiva.records import Certificate

RENEWAL = timedelta(days=30)
"""A certificate that ends sooner is warned about."""

PemFile = str | PathLike[str]


def certificate_request(
    certificate: PemFile | None, private_key: PemFile | None, name: str | None
) -> CertificateRequest | None:
    """What the files hold; None without files. Raises WebserviceException if one is missing."""
    if certificate is None and private_key is None:
        return None
    if certificate is None or private_key is None:
        raise WebserviceException(
            "A certificate needs both files: ssl_cert_pem_file and ssl_key_pem_file.",
            code="CertificateMissing",
        )
    return CertificateRequest(
        chain=_read(certificate), private_key=SecretStr(_read(private_key)), name=name or None
    )


def shown(certificate: Certificate, at: datetime) -> str:
    """ "for example.com, ends in 6 days (2026-12-01)"."""
    return f"for {certificate.name}, {_end(certificate, at)}"


def expiry_warning(certificate: Certificate, at: datetime) -> str | None:
    """None while there is time."""
    if certificate.expires - at > RENEWAL:
        return None
    return (
        f"Warning: the TLS certificate for {certificate.name} {_end(certificate, at)}. Callers do not accept "
        "it after that: renew it, and update with the new files."
    )


def trust(certificate: Certificate | None) -> ssl.SSLContext:
    """Accepts this service's own certificate for its name, whoever signed it, and no other.

    None of those that the machine trusts: to load them would take longer than most run()s.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_verify_locations(cadata=certificate.chain)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


def doubt(error: BaseException) -> str | None:
    """Why the other side was not trusted, if that is why the connection was not made."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return str(cause.verify_message)
        if isinstance(cause, ssl.SSLError):
            return str(cause.reason or cause)
        cause = cause.__cause__ or cause.__context__
    return None


def _end(certificate: Certificate, at: datetime) -> str:
    left = certificate.expires - at
    days = f"in {left.days} day{'' if left.days == 1 else 's'}"
    return f"{'has ended' if left < timedelta(0) else f'ends {days}'} ({certificate.expires:%Y-%m-%d})"


def _read(file: PemFile) -> str:
    try:
        return Path(file).read_text()
    except FileNotFoundError as error:
        raise WebserviceException(
            f"The file {file} does not exist (from {Path.cwd()}).", code="FileNotFound"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise WebserviceException(
            f"The file {file} cannot be read: {error}. A PEM file is needed.", code="CertificateInvalid"
        ) from error
