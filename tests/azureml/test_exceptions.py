from __future__ import annotations

import json

import pytest

from estiva.azureml import exceptions


def test_siblings_are_siblings() -> None:
    parents = {
        name: getattr(exceptions, name).__mro__[1].__name__
        for name in exceptions.__all__
        if name != "AzureMLException"
    }
    assert {name for name, parent in parents.items() if parent != "EstivaError"} == {
        "AuthenticationException",
        "WorkspacePrivateEndpointException",
    }
    assert issubclass(exceptions.AuthenticationException, exceptions.UserErrorException)


@pytest.mark.parametrize("name", exceptions.__all__)
def test_scripts_raise_them_with_a_message(name: str) -> None:
    with pytest.raises(exceptions.AzureMLException) as caught:
        raise getattr(exceptions, name)("the reason")
    assert "the reason" in caught.value.message


def test_the_text_has_the_structure_of_sdk_v1() -> None:
    inner = ValueError("deeper")
    error = exceptions.WebserviceException("ModelNotFound: none.\nMore.", inner_exception=inner)
    text = exceptions.structured(error)
    assert text.startswith("WebserviceException:\n\tMessage: ModelNotFound: none.\nMore.\n")
    assert "\tInnerException deeper\n" in text
    response = json.loads(text.partition("ErrorResponse")[2])
    assert response["error"]["message"] == "ModelNotFound: none."
    assert str(error) == "ModelNotFound: none.\nMore."
