"""Reads the TLS certificates that users bring, and says at once what callers would stumble over."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from estiva.errors import WebserviceException
from estiva.records import Certificate

_Key = TypeVar("_Key")


def read(certificate: str, private_key: str, name: str | None, at: datetime) -> Certificate:
    """What is shown of a certificate chain and its key, both PEM; `name` None: the first it was issued for.

    Raises WebserviceException if one cannot be read, they do not belong together, the certificate is not valid
    `at` this time, or it was not issued for `name`.
    """
    found = _first_of(certificate)
    if _public(found.public_key()) != _public(_key(private_key).public_key()):  # type: ignore[attr-defined]
        raise _refused("The TLS key is not the one of the certificate. Give the key that it was requested with.")
    if not found.not_valid_before_utc <= at < found.not_valid_after_utc:
        raise _refused(
            f"The TLS certificate is valid from {found.not_valid_before_utc:%Y-%m-%d %H:%M} to "
            f"{found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, and not now. Renew it."
        )
    names = _names(found)
    if name is not None and not any(_covers(pattern, name) for pattern in names):
        raise _refused(
            f"The TLS certificate was not issued for {name!r}, so callers would refuse it: it is for "
            f"{', '.join(names) or 'no name'}. Give one of its names as ssl_cname, or another certificate."
        )
    return Certificate(name=name or names[0], expires=found.not_valid_after_utc)


def _first_of(certificate: str) -> x509.Certificate:
    try:
        chain = x509.load_pem_x509_certificates(certificate.encode())
    except ValueError as error:
        raise _refused(
            "The TLS certificate cannot be read: give a PEM file, which begins with "
            "-----BEGIN CERTIFICATE-----, your own certificate first.",
            detail=str(error),
        ) from error
    return chain[0]


def _key(private_key: str) -> object:
    try:
        return load_pem_private_key(private_key.encode(), password=None)
    except TypeError as error:
        raise _refused("The TLS key is protected by a password. Give it without one.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused(
            "The TLS key cannot be read: give a PEM file, which begins with -----BEGIN PRIVATE KEY-----.",
            detail=str(error),
        ) from error


def _public(key: object) -> bytes:
    content: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return content


def _names(certificate: x509.Certificate) -> list[str]:
    """The host names and addresses that callers compare, else the common name, as older programs do."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return [str(attribute.value) for attribute in common]
    hosts = alternatives.get_values_for_type(x509.DNSName)
    return [*hosts, *(str(address) for address in alternatives.get_values_for_type(x509.IPAddress))]


def _covers(pattern: str, name: str) -> bool:
    """A leading `*` stands for one label (RFC 6125)."""
    pattern, name = pattern.lower(), name.lower()
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:]
    return name == pattern


def _refused(message: str, detail: str = "") -> WebserviceException:
    return WebserviceException(message, code="CertificateInvalid", detail=detail)
