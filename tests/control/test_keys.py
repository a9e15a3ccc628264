from __future__ import annotations

import hashlib

import pytest
from pydantic import SecretStr

from estiva.control.keys import checked, digest, new_credentials, new_key, replacement
from estiva.errors import WebserviceException


def test_every_key_is_another_and_is_accepted() -> None:
    made = {new_key().get_secret_value() for _ in range(100)}
    assert len(made) == 100
    for key in made:
        assert checked(SecretStr(key)).get_secret_value() == key


def test_keys_that_the_user_gave_are_taken() -> None:
    credentials = new_credentials(primary=SecretStr("of-the-user"))
    assert credentials.primary_key.get_secret_value() == "of-the-user"
    assert len(credentials.secondary_key.get_secret_value()) > 40


@pytest.mark.parametrize("key", ["", "short", "with space", "línea-nueva", "new\nline-in-it", "x" * 257])
def test_a_key_that_cannot_be_sent_or_is_guessed_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(WebserviceException, match="8 to 256 characters") as caught:
        new_credentials(secondary=SecretStr(key))
    assert caught.value.code == "KeyInvalid"
    assert not key or key not in caught.value.message


def test_a_replacement_names_the_key_that_goes() -> None:
    assert replacement("secondary", SecretStr("of-the-user")) == {"secondary_key": SecretStr("of-the-user")}
    assert list(replacement("primary", None)) == ["primary_key"]
    with pytest.raises(WebserviceException, match="a primary and a secondary one"):
        replacement("third", None)


def test_the_gateway_is_told_a_hash() -> None:
    assert digest(SecretStr("abc")) == hashlib.sha256(b"abc").hexdigest().upper()
