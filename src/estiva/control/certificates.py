"""Reads the TLS certificates that users bring, and says at once what their callers would stumble over."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from estiva.errors import WebserviceException
from estiva.messages import CertificateRequest
from estiva.records import Certificate

_LABEL = re.compile(r"[a-z0-9-]+")
_FEWEST_RSA_BITS = 2048
"""OpenSSL takes no fewer, so that HAProxy could not be started with them."""


def read(wanted: CertificateRequest, before: Certificate | None, at: datetime) -> tuple[Certificate, bytes]:
    """What is known of a certificate, and the file that HAProxy reads: chain and private key.

    A certificate that takes the place of another keeps its name unless it is given one. Raises
    WebserviceException if a part cannot be read, they do not belong together, the certificate is not valid
    `at` this time, or it was not issued for the name.
    """
    chain = _chain(wanted.chain)
    private_key = wanted.private_key.get_secret_value()
    _check_pair(chain[0], _key(private_key))
    _check_time(chain[0], at)
    text = "".join(one.public_bytes(Encoding.PEM).decode() for one in chain)
    content = f"{text}{private_key.strip()}\n".encode()
    certificate = Certificate(
        name=_name(chain[0], wanted.name or (before.name if before else None)),
        expires=chain[0].not_valid_after_utc,
        chain=text,
        file=f"tls-{hashlib.sha256(content).hexdigest()[:16]}.pem",
    )
    return certificate, content


def _chain(text: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise _refused(
            "The TLS certificate cannot be read: give a PEM file that begins with "
            "-----BEGIN CERTIFICATE-----, the service's own certificate first.",
            detail=str(error),
        ) from error


def _key(text: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError as error:
        raise _refused(
            "The TLS key is protected by a password, which a service that starts by itself cannot be asked "
            "for. Give it without one: openssl pkey -in KEY -out KEY_WITHOUT_PASSWORD."
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused(
            "The TLS key cannot be read: give a PEM file that begins with -----BEGIN PRIVATE KEY-----.",
            detail=str(error),
        ) from error


def _check_pair(certificate: x509.Certificate, key: PrivateKeyTypes) -> None:
    if _public(certificate.public_key()) != _public(key.public_key()):
        raise _refused(
            "The TLS key is not the one of the certificate, which must come first in its file. "
            "Give the key that the certificate was requested with."
        )
    if isinstance(key, RSAPrivateKey) and key.key_size < _FEWEST_RSA_BITS:
        raise _refused(
            f"The TLS key has {key.key_size} bits, fewer than callers accept. Make an RSA key of "
            f"{_FEWEST_RSA_BITS} bits or more, or one of an elliptic curve."
        )


def _check_time(certificate: x509.Certificate, at: datetime) -> None:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= at < last:
        what = "has expired" if at >= last else "is not valid yet"
        raise _refused(
            f"The TLS certificate {what}: it is valid from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} "
            "UTC. Give one that is valid now."
        )


def _name(certificate: x509.Certificate, wanted: str | None) -> str:
    """The one that is wanted, else the first that is no pattern."""
    names = _names(certificate)
    if wanted is None:
        wanted = next((name for name in names if "*" not in name), None)
        if wanted is None:
            raise _refused("Say the name of the service's host (ssl_cname): the certificate has none.")
    if not any(_covers(pattern, wanted) for pattern in names):
        raise _refused(
            f"The TLS certificate was not issued for {wanted!r}, so that callers would refuse it: it is for "
            f"{', '.join(names) or 'no name'}. Give one of its names as ssl_cname, or another certificate."
        )
    return wanted


def _names(certificate: x509.Certificate) -> list[str]:
    """The host names and addresses that callers compare, else the common name, as older programs do."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return [str(attribute.value) for attribute in common]
    addresses = found.get_values_for_type(x509.IPAddress)
    return [*found.get_values_for_type(x509.DNSName), *map(str, addresses)]


def _covers(pattern: str, name: str) -> bool:
    """A leading `*` stands for one label (RFC 6125)."""
    pattern, name = pattern.lower(), name.lower()
    if pattern.startswith("*."):
        label, _, rest = name.partition(".")
        return rest == pattern[2:] and _LABEL.fullmatch(label) is not None
    return name == pattern


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _refused(message: str, detail: str = "") -> WebserviceException:
    return WebserviceException(message, code="CertificateInvalid", detail=detail)
