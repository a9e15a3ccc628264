"""Signed, expiring tokens for the callers of services: issued here, verified by the gateway."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime, timedelta
from pathlib import Path

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from estiva.control.secret_files import write_secret
from estiva.errors import RegistryException
from estiva.messages import TokenView

LIFETIME = timedelta(hours=1)
REFRESH_AFTER = timedelta(minutes=45)
_ALGORITHM = "RS256"
_KEY_BITS = 2048


class Signer:
    """Signs the tokens of one workspace. Its key is made when one is first needed, and kept for life."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the workspace's own among the secrets."""
        self._folder = folder
        self._file = folder / "tokens.key"
        self._lock = threading.Lock()
        self._key: RSAPrivateKey | None = None

    def issue(self, service: str, grant: str, at: datetime) -> TokenView:
        """A token for what is routed under the id `service`."""
        expiry = at + LIFETIME
        claims = {"service": service, "grant": grant, "iat": at, "exp": expiry}
        with self._lock:
            key = self._private()
        return TokenView(
            access_token=jwt.encode(claims, key, _ALGORITHM),
            refresh_after=at + REFRESH_AFTER,
            expiry_on=expiry,
        )

    def public_key(self) -> Path:
        """The file that verifies: its name follows from its content, so that another key is noticed."""
        with self._lock:
            key = self._private().public_key()
            text = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            file = self._folder / f"tokens-{hashlib.sha256(text).hexdigest()[:16]}.pem"
            if not file.exists():
                write_secret(file, text)
            return file

    def _private(self) -> RSAPrivateKey:
        if self._key is None:
            if not self._file.exists():
                _create(self._file)
            self._key = _read(self._file)
        return self._key


def _create(file: Path) -> None:
    key = generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    write_secret(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _read(file: Path) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise _damaged(file, str(error)) from error
    if not isinstance(key, RSAPrivateKey):
        raise _damaged(file, type(key).__name__)
    return key


def _damaged(file: Path, detail: str) -> RegistryException:
    return RegistryException(
        f"The key that tokens are signed with, {file}, cannot be read. Restore it from a backup, or remove "
        "it: a new one is made then, and the tokens that were given out end at once.",
        code="SigningKeyDamaged",
        detail=detail,
    )
