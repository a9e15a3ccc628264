from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from estiva.targets._logs import Follower, merge, tail


@pytest.fixture
def followed() -> Iterator[Callable[[Path], Follower]]:
    with ExitStack() as stack:
        yield lambda log: stack.enter_context(closing(Follower(log)))


def write(log: Path, *lines: str) -> None:
    with log.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def rotate(log: Path, kept: int = 2) -> None:
    for number in range(kept, 0, -1):
        newer = log if number == 1 else log.with_name(f"{log.name}.{number - 1}")
        if newer.exists():
            newer.replace(log.with_name(f"{log.name}.{number}"))


def test_the_tail_reaches_into_rotated_files(tmp_path: Path) -> None:
    log = tmp_path / "replica.log"
    write(log, "1", "2")
    rotate(log)
    write(log, "3", "4")
    rotate(log)
    write(log, "5")
    assert tail(log, 4) == ["2", "3", "4", "5"]
    assert tail(log, 100) == ["1", "2", "3", "4", "5"]


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert tail(tmp_path / "nowhere" / "replica.log", 10) == []


def test_following_goes_on_across_rotations(tmp_path: Path, followed: Callable[[Path], Follower]) -> None:
    log = tmp_path / "replica.log"
    follower = followed(log)
    assert follower.read() == []
    write(log, "1")
    assert follower.read() == ["1"]
    write(log, "2")
    rotate(log)
    assert follower.read() == ["2"]
    write(log, "3")
    rotate(log)
    write(log, "4")
    assert follower.read() == ["3", "4"]
    assert follower.read() == []


def test_following_goes_on_when_the_file_it_was_in_is_gone(
    tmp_path: Path, followed: Callable[[Path], Follower]
) -> None:
    log = tmp_path / "replica.log"
    follower = followed(log)
    write(log, "1")
    assert follower.read() == ["1"]
    for line in ("2", "3", "4"):
        rotate(log)
        write(log, line)
    assert follower.read() == ["2", "3", "4"]


def test_a_line_that_is_not_whole_yet_is_left_for_the_next_read(
    tmp_path: Path, followed: Callable[[Path], Follower]
) -> None:
    log = tmp_path / "replica.log"
    follower = followed(log)
    log.write_text("whole\nhal")
    assert follower.read() == ["whole"]
    write(log, "f")
    assert follower.read() == ["half"]


def test_bytes_that_are_not_utf_8_are_shown_as_such(tmp_path: Path) -> None:
    log = tmp_path / "replica.log"
    log.write_bytes(b"caf\xe9\r\n")
    assert tail(log, 1) == ["caf\ufffd"]


def test_logs_are_merged_by_time_and_keep_their_own_order() -> None:
    stamp = "2026-11-23T23:05:0{}.000Z {}".format
    first = [stamp(1, "a"), stamp(3, "b"), stamp(3, "a")]
    second = [stamp(2, "c"), stamp(4, "d")]
    assert merge([first, second]) == [first[0], second[0], first[1], first[2], second[1]]
