from __future__ import annotations

import pytest
from pydantic import SecretStr

from estiva.errors import WebserviceException
from estiva.records import Credentials
from estiva.registry.store import Store
from tests.registry.samples import KEY, generation, service

KEYS = Credentials(
    primary_key=SecretStr("first-key"), secondary_key=SecretStr("second-key"), token_grant="first"
)


@pytest.fixture
def deployed(store: Store) -> Store:
    store.create_service(service(), generation(), KEYS)
    return store


def test_keys_are_read_as_they_were_stored_and_do_not_show(deployed: Store) -> None:
    found = deployed.credentials(KEY.workspace, KEY.service)
    assert found == KEYS
    assert "first-key" not in repr(found)


def test_one_key_is_replaced_and_the_other_kept(deployed: Store) -> None:
    deployed.update_credentials(KEY.workspace, KEY.service, primary_key=SecretStr("third-key"))
    found = deployed.credentials(KEY.workspace, KEY.service)
    assert found.primary_key.get_secret_value() == "third-key"
    assert found.secondary_key == KEYS.secondary_key


def test_keys_go_with_their_service_and_not_with_a_version_of_an_endpoint(deployed: Store) -> None:
    deployed.remove_service(KEY.model_copy(update={"version": "blue"}))
    assert deployed.credentials(KEY.workspace, KEY.service) == KEYS
    deployed.remove_service(KEY)
    with pytest.raises(WebserviceException, match="WebserviceNotFound"):
        deployed.credentials(KEY.workspace, KEY.service)
