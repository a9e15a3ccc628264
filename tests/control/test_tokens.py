from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from estiva.control.tokens import LIFETIME, REFRESH_AFTER, Signer
from estiva.errors import RegistryException
from estiva.records import now

GRANT = "0" * 32


def test_a_token_says_what_it_is_for_and_when_it_ends(tmp_path: Path) -> None:
    signer, at = Signer(tmp_path / "lab"), now().replace(microsecond=0)
    token = signer.issue("service:sum", GRANT, at)
    claims = jwt.decode(token.access_token, signer.public_key().read_bytes(), ["RS256"])
    assert (claims["service"], claims["grant"]) == ("service:sum", GRANT)
    assert (claims["iat"], claims["exp"]) == (at.timestamp(), (at + LIFETIME).timestamp())
    assert (token.refresh_after, token.expiry_on) == (at + REFRESH_AFTER, at + LIFETIME)
    assert token.refresh_after < token.expiry_on - timedelta(minutes=5), "time to renew it"


def test_the_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    signer = Signer(folder)
    with ThreadPoolExecutor(4) as pool:
        files = set(pool.map(lambda _: signer.public_key(), range(4)))
    assert files == {Signer(folder).public_key()}, "another process has the same one"
    assert Signer(tmp_path / "other").public_key().read_bytes() != signer.public_key().read_bytes()
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_key_that_replaced_another_has_another_name(tmp_path: Path) -> None:
    before = Signer(tmp_path).public_key()
    (tmp_path / "tokens.key").unlink()
    assert Signer(tmp_path).public_key() != before


@pytest.mark.parametrize("content", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_damaged_key_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "tokens.key"
    file.write_bytes(content)
    with pytest.raises(RegistryException, match="Restore it from a backup, or remove it") as caught:
        Signer(tmp_path).public_key()
    assert str(file) in caught.value.message
