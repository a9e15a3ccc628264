from __future__ import annotations

import re

import pytest

from estiva import errors
from estiva.errors import EstivaError, MissingModelPath, WebserviceException, WorkspaceException


def classes(base: type[EstivaError]) -> list[type[EstivaError]]:
    return [base, *(found for child in base.__subclasses__() for found in classes(child))]


OURS = [kind for kind in classes(EstivaError) if kind.__module__ == errors.__name__]


def test_the_tree_that_opens_the_file_is_the_tree_of_the_classes() -> None:
    path: list[str] = []
    told: dict[str, str | None] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^((?:[│ ]   )*)(?:[├└]── )?([A-Z]\w+)(?:  |$)", line)
        if found:
            depth = len(found[1]) // 4 + ("── " in line)
            path[depth:] = [found[2]]
            told[found[2]] = path[depth - 1] if depth else None
    assert told == {
        kind.__name__: None if kind is EstivaError else kind.__bases__[0].__name__ for kind in OURS
    }


@pytest.mark.parametrize("kind", OURS)
def test_an_error_is_a_sentence_a_code_and_detail(kind: type[EstivaError]) -> None:
    error = kind("What happened. What to do.", detail="for the log")
    assert str(error) == error.message == "What happened. What to do."
    assert (error.code, error.detail) == (kind.code, "for the log")
    assert re.fullmatch(r"[A-Z]\w+", kind.code)
    assert kind("x", code="Other").code == "Other"


@pytest.mark.parametrize("kind", OURS)
def test_each_is_found_by_its_name(kind: type[EstivaError]) -> None:
    assert errors.named(kind.__name__) is kind


@pytest.mark.parametrize("name", ["ValueError", "object", "", "named"])
def test_no_other_name_finds_anything_else(name: str) -> None:
    assert errors.named(name) is EstivaError


def test_siblings_of_sdk_v1_are_siblings_here() -> None:
    siblings = (
        errors.UserErrorException,
        errors.ModelNotFoundException,
        errors.ModelPathNotFoundException,
        errors.ComputeTargetException,
        errors.WorkspaceException,
        errors.RunEnvironmentException,
        errors.ProjectSystemException,
    )
    assert not any(issubclass(kind, WebserviceException) for kind in siblings)
    assert issubclass(errors.AuthenticationException, errors.UserErrorException)


def test_a_missing_path_is_caught_by_scripts_for_either_release() -> None:
    error = MissingModelPath("There is no model.pkl.")
    assert isinstance(error, WebserviceException)
    assert isinstance(error, FileNotFoundError)
    assert str(error) == "There is no model.pkl."


def test_what_scripts_pass_and_read() -> None:
    error = WebserviceException("Bad.", 502, None, body=b"{}", request_id="abc")
    assert (error.status_code, error.body, error.request_id) == (502, b"{}", "abc")
    assert WebserviceException("Bad.").status_code is None
    assert WorkspaceException("Two.", found_multiple=True).found_multiple
    inner = ValueError("inner")
    assert EstivaError("Bad.", inner_exception=inner).inner_exception is inner
