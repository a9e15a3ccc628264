"""What callers of a service show to be let in, and it shows to them: keys, tokens, a certificate."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NoReturn
from urllib.parse import quote

from estiva.errors import WebserviceException
from estiva.messages import KeysView, TokenView
from estiva.records import Certificate, Publication, now
from estiva.sdk import tls
from estiva.sdk.connection import connect

_UNAUTHORIZED = 401
_CHANGED = ("KeysNotUsed", "TokensNotUsed", "CertificateNotTrusted")


class WebServiceAccessToken:
    """A token for the callers of a service: `Authorization: Bearer <access_token>`.

    It ends at `expiry_on`, and another one should be asked for from `refresh_after` on; both are in UTC, and
    naive as in SDK v1.
    """

    def __init__(
        self, access_token: str, token_type: str, refresh_after: datetime, expiry_on: datetime
    ) -> None:
        self.access_token = access_token
        self.token_type = token_type
        self.refresh_after = refresh_after
        self.expiry_on = expiry_on

    def serialize(self) -> dict[str, str]:
        return {
            "accessToken": self.access_token,
            "tokenType": self.token_type,
            "refreshAfter": self.refresh_after.isoformat(),
            "expiryOn": self.expiry_on.isoformat(),
        }

    @staticmethod
    def deserialize(payload_obj: dict[str, str]) -> WebServiceAccessToken:
        return WebServiceAccessToken(
            payload_obj["accessToken"],
            payload_obj["tokenType"],
            datetime.fromisoformat(payload_obj["refreshAfter"]),
            datetime.fromisoformat(payload_obj["expiryOn"]),
        )

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"{kind}(token_type={self.token_type!r}, expiry_on={self.expiry_on.isoformat()!r})"


class Guarded:
    """What may ask its callers for a key or a token, and show them a certificate."""

    _token: TokenView | None = None

    @property
    def _path(self) -> str:
        """At the control server."""
        raise NotImplementedError

    @property
    def _publication(self) -> Publication | None:
        """How it is published, as it was last seen."""
        raise NotImplementedError

    @property
    def _certificate(self) -> Certificate | None:
        """Of the port that it is published on, as it was last seen."""
        raise NotImplementedError

    @property
    def ssl_enabled(self) -> bool:
        """Whether the port that it is published on speaks TLS; `run()` knows its certificate."""
        return self._certificate is not None

    @property
    def certificate(self) -> str | None:
        """For whom its TLS certificate is, and when that ends; None without TLS."""
        return None if self._certificate is None else tls.shown(self._certificate, now())

    @property
    def certificate_warning(self) -> str | None:
        """What is to be done about the certificate; None while there is time."""
        return None if self._certificate is None else tls.expiry_warning(self._certificate, now())

    @property
    def auth_enabled(self) -> bool:
        """Whether callers need a key; `run()` sends it by itself."""
        return self._publication is not None and self._publication.auth_enabled

    @property
    def token_auth_enabled(self) -> bool:
        """Whether callers need a token; `run()` sends one by itself, and renews it in time."""
        return self._publication is not None and self._publication.token_auth_enabled

    @property
    def requests_per_second(self) -> int | None:
        """What one key or token may send; beyond it the answer is 429. None: no limit."""
        return None if self._publication is None else self._publication.requests_per_second

    def get_keys(self) -> tuple[str, str]:
        """The primary and the secondary key: `Authorization: Bearer KEY` with either is let in.

        Raises WebserviceException if callers need tokens instead.
        """
        keys = KeysView.model_validate(connect().request("GET", f"{self._path}/keys"))
        return keys.primary, keys.secondary

    def regen_key(self, key: str, set_key: str | None = None) -> None:
        """Replaces the "Primary" or the "Secondary" key by a random one, or by `set_key`.

        The old one has stopped when this returns; the other one goes on.
        """
        if not key:
            raise WebserviceException('Say which key: "Primary" or "Secondary".', code="KeyUnknown")
        connect().request("POST", f"{self._path}/keys/{quote(key.lower(), safe='')}", body={"key": set_key})

    def _credential_headers(self) -> dict[str, str]:
        """What opens the door. A token is used again until it is time for another."""
        if self.auth_enabled:
            return {"Authorization": f"Bearer {self.get_keys()[0]}"}
        if not self.token_auth_enabled:
            return {}
        if self._token is None or now() >= self._token.refresh_after:
            self._token = self._fetch_token()
        return {"Authorization": f"Bearer {self._token.access_token}"}

    def _fetch_token(self) -> TokenView:
        return TokenView.model_validate(connect().request("POST", f"{self._path}/token"))


class WithTokens(Guarded):
    """What may ask its callers for tokens: signed for it alone, and good for an hour."""

    def get_token(self) -> tuple[str, datetime]:
        """A token, and when to ask for another one: UTC, naive. Raises WebserviceException without tokens."""
        token = self.get_access_token()
        return token.access_token, token.refresh_after

    def get_access_token(self) -> WebServiceAccessToken:
        """A token with all that is known of it. Raises WebserviceException if callers need none."""
        token = self._fetch_token()
        return WebServiceAccessToken(
            access_token=token.access_token,
            token_type=token.token_type,
            refresh_after=_naive(token.refresh_after),
            expiry_on=_naive(token.expiry_on),
        )

    def revoke_tokens(self) -> None:
        """Ends all tokens that were given out, before it returns; `run()` gets itself a new one."""
        connect().request("DELETE", f"{self._path}/tokens")


class WithoutTokens(Guarded):
    """What asks for keys if for anything, as in SDK v1."""

    def get_token(self) -> NoReturn:
        raise NotImplementedError("There are no tokens here: callers send a key, which get_keys() shows.")

    def get_access_token(self) -> NoReturn:
        self.get_token()


def is_locked_out(error: WebserviceException) -> bool:
    """Whether nothing was run as caller and service no longer knew each other."""
    return error.status_code == _UNAUTHORIZED or error.code in _CHANGED


def _naive(time: datetime) -> datetime:
    return time.astimezone(timezone.utc).replace(tzinfo=None)
