from __future__ import annotations

import pytest

from estiva.cli.model import pairs
from estiva.errors import UserErrorException
from tests.cli.conftest import Run


def test_pairs() -> None:
    assert pairs(None) == pairs([]) == {}
    assert pairs(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("item", ["a", "=1", ""])
def test_what_is_no_pair_is_told(item: str) -> None:
    with pytest.raises(UserErrorException, match="is not KEY=VALUE") as caught:
        pairs(["a=1", item])
    assert repr(item) in caught.value.message


def test_a_deletion_names_the_version(run: Run) -> None:
    with pytest.raises(UserErrorException, match="Say which version: iris:1"):
        run("model", "delete", "iris")
