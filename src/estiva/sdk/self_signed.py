"""A TLS certificate that no authority signed, for trying TLS."""

from __future__ import annotations

import ipaddress
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from estiva.records import now

_CLOCK_SKEW = timedelta(minutes=5)
_LONGEST_COMMON_NAME = 64
_USES = ("digital_signature", "key_cert_sign")
_OTHER_USES = (
    *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("crl_sign", "encipher_only", "decipher_only"),
)


def self_signed(name: str, days: int = 90) -> tuple[str, str]:
    """The certificate for a host name or an address, and its private key, both PEM.

    Callers refuse it unless they are told to trust it: `curl --cacert FILE`, `verify=FILE`.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_LONGEST_COMMON_NAME])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - _CLOCK_SKEW)
        .not_valid_after(now() + timedelta(days=days))
    )
    for extension, critical in _extensions(name, key.public_key()):
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(key, SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), secret.decode()


def _extensions(name: str, key: ec.EllipticCurvePublicKey) -> list[tuple[x509.ExtensionType, bool]]:
    """Its own authority, for that one name: what strict callers ask of what they are told to trust."""
    uses = dict.fromkeys(_USES, True) | dict.fromkeys(_OTHER_USES, False)
    return [
        (x509.SubjectAlternativeName([_general_name(name)]), False),
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.KeyUsage(**uses), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
    ]


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
