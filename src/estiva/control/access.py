"""Who may call what a workspace publishes, and by which certificate they know it.

Keys, tokens, certificates, and what the gateway is told of them.
"""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

from pydantic import SecretStr

from estiva.control import certificates
from estiva.control.keys import digest, new_grant, replacement
from estiva.control.secret_files import write_secret
from estiva.control.tokens import Signer
from estiva.errors import WebserviceException
from estiva.home import Home
from estiva.messages import CertificateRequest, TokenView
from estiva.records import Access, Certificate, Credentials, Publication, now
from estiva.registry.store import Store

_SECONDS_TO_BE_USED = 3600


class AccessControl:
    """Of services and endpoints alike, by the name that they are published under.

    What is replaced or revoked here stops when the workspace is published next.
    """

    def __init__(self, home: Home, store: Store) -> None:
        self._home = home
        self._store = store
        self._signers: dict[str, Signer] = {}
        self._lock = threading.Lock()

    def rules(self, workspace: str, name: str, publication: Publication | None) -> Access | None:
        """For the gateway; None if anybody may call."""
        if publication is None or not publication.asks_callers:
            return None
        credentials, limit = self._store.credentials(workspace, name), publication.requests_per_second
        if publication.token_auth_enabled:
            key, grant = str(self._signer(workspace).public_key()), credentials.token_grant
            return Access(token_key=key, token_grant=grant, requests_per_second=limit)
        hashes = digest(credentials.primary_key), digest(credentials.secondary_key)
        return Access(key_hashes=hashes, requests_per_second=limit)

    def keys(self, workspace: str, name: str, publication: Publication | None) -> Credentials:
        """Raises WebserviceException if callers need tokens instead."""
        _check_keys(name, publication)
        return self._store.credentials(workspace, name)

    def replace_key(
        self, workspace: str, name: str, publication: Publication | None, which: str, value: SecretStr | None
    ) -> Credentials:
        """`value` or a new key in the place of the primary or the secondary one; raises as `keys` does."""
        _check_keys(name, publication)
        return self._store.update_credentials(workspace, name, **replacement(which, value))

    def token(self, workspace: str, route: str, publication: Publication | None) -> TokenView:
        """For the callers of what has that id. Raises WebserviceException if they need none."""
        name = route.partition(":")[2]
        _check_tokens(name, publication)
        grant = self._store.credentials(workspace, name).token_grant
        return self._signer(workspace).issue(route, grant, now())

    def revoke_tokens(self, workspace: str, name: str, publication: Publication | None) -> None:
        """All that were given out; raises as `token` does."""
        _check_tokens(name, publication)
        self._store.update_credentials(workspace, name, token_grant=new_grant())

    def keep_certificate(
        self, workspace: str, wanted: CertificateRequest, before: Certificate | None
    ) -> Certificate:
        """Checks it and keeps its private key; to be used when the record has been written down.

        Raises WebserviceException, code "CertificateInvalid".
        """
        certificate, content = certificates.read(wanted, before, now())
        write_secret(self._folder(workspace) / certificate.file, content)
        return certificate

    def certificate_file(self, workspace: str, certificate: Certificate | None) -> str | None:
        """Where the gateway finds it."""
        return None if certificate is None else str(self._folder(workspace) / certificate.file)

    def prune(self) -> None:
        """Removes the private keys that nothing is published with any more.

        But not the newest: what is being accepted now has not been written down yet.
        """
        used = {
            self.certificate_file(service.key.workspace, service.publication.certificate)
            for service in self._store.services()
            if service.publication
        } | {self.certificate_file(one.name, one.certificate) for one in self._store.workspaces()}
        for file in self._home.secrets.glob("*/tls-*.pem"):
            if str(file) not in used and time.time() - file.stat().st_mtime > _SECONDS_TO_BE_USED:
                file.unlink(missing_ok=True)

    def forget(self, workspace: str) -> None:
        """Removes the secrets of a workspace that is gone. Idempotent."""
        with self._lock:
            self._signers.pop(workspace, None)
            folder = self._folder(workspace)
            if folder.exists():
                shutil.rmtree(folder)

    def _signer(self, workspace: str) -> Signer:
        with self._lock:
            if workspace not in self._signers:
                self._signers[workspace] = Signer(self._folder(workspace))
            return self._signers[workspace]

    def _folder(self, workspace: str) -> Path:
        return self._home.secrets / workspace


def _check_keys(name: str, publication: Publication | None) -> None:
    if publication is not None and publication.token_auth_enabled:
        raise WebserviceException(
            f"{name!r} asks its callers for tokens, not for keys: get one with service.get_access_token() "
            f"or `estiva service token {name}`.",
            code="KeysNotUsed",
        )


def _check_tokens(name: str, publication: Publication | None) -> None:
    if publication is None or not publication.token_auth_enabled:
        raise WebserviceException(
            f"{name!r} does not take tokens. Only services of the Kubernetes kind do, with "
            "token_auth_enabled=True (and auth_enabled=False); keys are in service.get_keys().",
            code="TokensNotUsed",
        )
