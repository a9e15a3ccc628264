from __future__ import annotations

import pytest

from estiva.azureml import authentication
from estiva.errors import AuthenticationException


def test_credentials_are_accepted_with_a_notice(told: pytest.CaptureFixture[str]) -> None:
    authentication.ServicePrincipalAuthentication("tenant", "id", "hidden")
    authentication.ServicePrincipalAuthentication("tenant", "id", "hidden")
    said = told.readouterr().err
    assert said.count("ServicePrincipalAuthentication: kept, without effect") == 1
    assert "hidden" not in said


def test_the_password_is_not_kept() -> None:
    credentials = authentication.ServicePrincipalAuthentication("tenant", "id", "hidden")
    assert "hidden" not in str(vars(credentials))


def test_tokens_of_the_cloud_are_refused() -> None:
    with pytest.raises(AuthenticationException, match="get_keys"):
        authentication.InteractiveLoginAuthentication(tenant_id="t").get_authentication_header()


def test_a_token_of_the_scripts_own_is_its_own() -> None:
    own = authentication.TokenAuthentication(lambda audience: f"for {audience.value}")
    assert own.get_token() == "for ARM"
    kept = authentication.AzureMLTokenAuthentication.create("t", None, "h", "s", "g", "w", "e", "r")  # type: ignore[arg-type]
    assert (kept.token, kept.expiry_time) == ("t", None)
