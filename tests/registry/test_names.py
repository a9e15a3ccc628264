from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from estiva.errors import EstivaError, UserErrorException, WebserviceException
from estiva.registry import names

Check = Callable[[str], None]

# The official patterns, as published for SDK v1.
_MODEL = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9\-\._]{0,254}\Z")
_SERVICE = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?\Z")


@pytest.mark.parametrize("name", ["iris.model", "sklearn_regression_model.pkl", "A-1", "9", "x" * 255])
def test_model_names_that_scripts_use(name: str) -> None:
    names.model_name(name)


@pytest.mark.parametrize(
    ("check", "error", "name", "said"),
    [
        (names.model_name, WebserviceException, "my model!", '" ", "!"'),
        (names.model_name, WebserviceException, "a\nb\nc", '"\\n"'),
        (names.model_name, WebserviceException, "modèle", '"è"'),
        (names.model_name, WebserviceException, "../up", '"/"'),
        (names.model_name, WebserviceException, "_hidden", "beginning with a letter or digit"),
        (names.model_name, WebserviceException, "x" * 256, "1 to 255 characters"),
        (names.service_name, WebserviceException, "My_Service", '"M", "_", "S"'),
        (names.service_name, WebserviceException, "v1", "3 to 32 characters"),
        (names.service_name, WebserviceException, "ends-", "ending with a letter or digit"),
        (names.service_name, WebserviceException, "a" * 33, "3 to 32 characters"),
        (names.version_name, WebserviceException, "", "1 to 32 characters"),
        (names.version_name, WebserviceException, "2nd", "beginning with a letter"),
        (names.environment_name, UserErrorException, "my env", '" "'),
        (names.environment_name, UserErrorException, "", "1 to 255 characters"),
        (names.workspace_name, UserErrorException, "a.b", '"."'),
        (names.workspace_name, UserErrorException, "ws", "3 to 33 characters"),
        (names.workspace_name, UserErrorException, "w" * 34, "3 to 33 characters"),
    ],
)
def test_the_error_shows_the_name_and_what_is_wrong(
    check: Check, error: type[EstivaError], name: str, said: str
) -> None:
    with pytest.raises(error) as caught:
        check(name)
    assert name in caught.value.message
    assert said in caught.value.message
    assert caught.value.code == "InvalidName"


@pytest.mark.parametrize("name", ["v1", "b", "challenger-2"])
def test_version_names(name: str) -> None:
    names.version_name(name)


@pytest.mark.parametrize("name", ["lab", "My_Workspace-2", "9lives"])
def test_workspace_names(name: str) -> None:
    names.workspace_name(name)


@given(st.text())
@example("model\n")
def test_a_model_name_is_accepted_exactly_when_the_official_rule_does(name: str) -> None:
    assert _accepts(names.model_name, name) == bool(_MODEL.match(name))


@given(st.text(alphabet="az09-A\n", max_size=34))
@example("service\n")
def test_a_service_name_is_accepted_exactly_when_the_official_rule_does(name: str) -> None:
    assert _accepts(names.service_name, name) == bool(_SERVICE.match(name) and 3 <= len(name) <= 32)


def _accepts(check: Check, name: str) -> bool:
    try:
        check(name)
    except EstivaError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("ab", "it has 2 characters"),
        ("a", "it has 1 character."),
        ("-abc", 'it begins with "-"'),
        ("", "it has 0"),
    ],
)
def test_a_name_of_good_characters_is_told_what_else_is_wrong(name: str, fault: str) -> None:
    with pytest.raises(WebserviceException) as caught:
        names.service_name(name)
    assert fault in caught.value.message
