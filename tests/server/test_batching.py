"""What is said about batching: by the decorator, by variables."""

from __future__ import annotations

import pytest

from estiva_server import batched
from estiva_server.batching import MARK, Batching, choose


def test_the_decorator_with_and_without_numbers() -> None:
    @batched
    def plain(data: list[str]) -> list[str]:
        return data

    @batched(max_size=64, max_wait_ms=0.5)
    def numbered(data: list[str]) -> list[str]:
        return data

    assert getattr(plain, MARK) == Batching(max_size=32, max_wait_ms=5)
    assert getattr(numbered, MARK) == Batching(max_size=64, max_wait_ms=0.5)
    assert plain(["a"]) == numbered(["a"]) == ["a"]


@pytest.mark.parametrize("numbers", [{"max_size": 0}, {"max_wait_ms": -1.0}])
def test_numbers_that_cannot_be(numbers: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="max_size must be 1 or more, max_wait_ms 0 or more"):
        batched(**numbers)


@pytest.mark.parametrize(
    ("marked", "size", "wait", "chosen"),
    [
        (None, 0, None, None),
        (None, 0, 7, None),
        (None, 8, None, Batching(8, 5)),
        (None, 8, 0, Batching(8, 0)),
        (Batching(4, 3), 0, None, Batching(4, 3)),
        (Batching(4, 3), 8, None, Batching(8, 3)),
        (Batching(4, 3), 0, 0, Batching(4, 0)),
    ],
)
def test_variables_win_over_the_script(
    marked: Batching | None, size: int, wait: int | None, chosen: Batching | None
) -> None:
    assert choose(marked, size, wait) == chosen
