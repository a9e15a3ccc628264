"""Signed, expiring tokens for callers of services: issued here, verified by the gateway.

The gateway is given the public key alone. A token names the service that it is for (its audience) and ends
by itself: what is short-lived needs no list of what was revoked.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from estiva.errors import RegistryException
from estiva.messages import AccessToken

ALGORITHM = "ES256"
ISSUER = "estiva"
LIFETIME = timedelta(hours=1)
REFRESH_AFTER = timedelta(minutes=45)


class TokenSigner:
    """Signs with the key in `file`, which is made, readable by its owner alone, when one is first needed."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @cached_property
    def public_key(self) -> str:
        """As PEM."""
        public = self._key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def issue(self, audience: str, at: datetime) -> AccessToken:
        """A token for the service, or the endpoint, that `audience` names ("workspace/name")."""
        expiry = at + LIFETIME
        claims = {"iss": ISSUER, "aud": audience, "iat": at, "exp": expiry}
        return AccessToken(
            access_token=jwt.encode(claims, self._key, ALGORITHM),
            refresh_after=at + REFRESH_AFTER,
            expiry_on=expiry,
        )

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        try:
            return _read(self._file)
        except FileNotFoundError:
            _create(self._file)
            return _read(self._file)


def _read(file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except ValueError as error:
        raise _damaged(file, str(error)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _damaged(file, type(key).__name__)
    return key


def _create(file: Path) -> None:
    """Whole or not at all; if another was faster, the other's key is the one."""
    key = ec.generate_private_key(ec.SECP256R1())
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    with open(partial, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
        stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    try:
        file.hardlink_to(partial)
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def _damaged(file: Path, detail: str) -> RegistryException:
    return RegistryException(
        f"The key that tokens are signed with, {file}, cannot be read. Restore it from a backup, or remove it: "
        "a new one is made, and tokens that were given out end at once.",
        code="SigningKeyDamaged",
        detail=detail,
    )
