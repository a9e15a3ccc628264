"""The two keys of a service: made, set, replaced. Two, so that callers can move from one to the other.

Beside them the grant, by which its tokens are revoked.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Literal, get_args

from pydantic import SecretStr

from estiva.errors import WebserviceException
from estiva.messages import PublicationRequest
from estiva.records import Credentials

KeyName = Literal["primary", "secondary"]

_BYTES = 32
_GRANT_BYTES = 16
_LENGTHS = range(8, 257)
_CHARACTERS = re.compile(r"[!-~]*")


def new_key() -> SecretStr:
    """256 random bits, in characters that need no quoting anywhere."""
    return SecretStr(secrets.token_urlsafe(_BYTES))


def new_grant() -> str:
    return secrets.token_hex(_GRANT_BYTES)


def new_credentials(primary: SecretStr | None = None, secondary: SecretStr | None = None) -> Credentials:
    """With the keys that the user gave, and new ones where none was given."""
    given = {"primary_key": primary, "secondary_key": secondary}
    keys = {name: checked(key) if key is not None else new_key() for name, key in given.items()}
    return Credentials(token_grant=new_grant(), **keys)


def replacement(name: str, key: SecretStr | None) -> dict[str, SecretStr]:
    """The change of the credentials that puts `key`, or a new one, in the place of the named one."""
    if name not in get_args(KeyName):
        raise WebserviceException(
            f"There is no key {name!r}: a service has a primary and a secondary one.", code="KeyUnknown"
        )
    return {f"{name}_key": new_key() if key is None else checked(key)}


def changed_keys(wanted: PublicationRequest) -> dict[str, SecretStr]:
    """The change of the credentials that puts the keys in place that were asked for."""
    given = {"primary_key": wanted.primary_key, "secondary_key": wanted.secondary_key}
    return {name: checked(key) for name, key in given.items() if key is not None}


def digest(key: SecretStr) -> str:
    """What the gateway knows of a key: SHA-256 in upper-case hexadecimal digits."""
    return hashlib.sha256(key.get_secret_value().encode()).hexdigest().upper()


def checked(key: SecretStr) -> SecretStr:
    """The key, if it can be sent in a header and is not quickly guessed. Raises WebserviceException."""
    text = key.get_secret_value()
    if len(text) in _LENGTHS and _CHARACTERS.fullmatch(text):
        return key
    raise WebserviceException(
        f"A key has {_LENGTHS.start} to {_LENGTHS.stop - 1} characters, all of them visible ASCII without "
        "spaces. Leave it out to have a random one made.",
        code="KeyInvalid",
    )
