"""Conda's notation of a package, and what it means in PyPI's words."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.errors import UserErrorException
from estiva.specification import CondaRequirement, parse_notation


@pytest.mark.parametrize(
    ("text", "requirement"),
    [
        ("numpy", CondaRequirement("numpy", "")),
        ("numpy=1.26", CondaRequirement("numpy", "==1.26.*")),
        ("numpy = 1.26", CondaRequirement("numpy", "==1.26.*")),
        ("numpy=1.26.*", CondaRequirement("numpy", "==1.26.*")),
        ("numpy=1.26*", CondaRequirement("numpy", "==1.26.*")),
        ("numpy=*", CondaRequirement("numpy", "")),
        ("numpy==1.26.4", CondaRequirement("numpy", "==1.26.4")),
        ("numpy 1.26.4", CondaRequirement("numpy", "==1.26.4")),
        ("numpy 1.26.*", CondaRequirement("numpy", "==1.26.*")),
        ("numpy=1.26.4=py311_0", CondaRequirement("numpy", "==1.26.4", build="py311_0")),
        ("numpy==1.26.4=py311_0", CondaRequirement("numpy", "==1.26.4", build="py311_0")),
        ("numpy 1.26.4 py311_0", CondaRequirement("numpy", "==1.26.4", build="py311_0")),
        ("numpy>=1.10,<2", CondaRequirement("numpy", ">=1.10,<2")),
        ("numpy >= 1.10, < 2", CondaRequirement("numpy", ">=1.10,<2")),
        ("numpy>=1.10.*", CondaRequirement("numpy", ">=1.10")),
        ("numpy=1.26,!=1.26.3", CondaRequirement("numpy", "==1.26.*,!=1.26.3")),
        ("numpy=1.0rc1", CondaRequirement("numpy", "==1.0rc1")),
        ("conda-forge::numpy=1.26", CondaRequirement("numpy", "==1.26.*", channel="conda-forge")),
        ("_libgcc_mutex=0.1=main", CondaRequirement("_libgcc_mutex", "==0.1", build="main")),
        ("openssl=1.1.1w=h7f8727e_0", CondaRequirement("openssl", "==1.1.1w", build="h7f8727e_0")),
        ("numpy<1.20|>1.22", CondaRequirement("numpy", "<1.20|>1.22")),
    ],
)
def test_each_form(text: str, requirement: CondaRequirement) -> None:
    assert parse_notation(text) == requirement


@pytest.mark.parametrize(
    "text", ["", "=1.0", "numpy==", "numpy>=1,", "numpy[build=x]", "a b c d", "numpy=>1", "é"]
)
def test_what_is_not_conda_notation(text: str) -> None:
    with pytest.raises(
        UserErrorException, match=r"is not a package in conda's notation; write it like numpy=1\.26"
    ):
        parse_notation(text)


@given(st.text("numpy=<>!~.,|*:1234[] \n"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UserErrorException):
        assert parse_notation(text).name
