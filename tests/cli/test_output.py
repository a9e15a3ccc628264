from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from typing import Any

import pytest

from estiva.cli.output import Bytes, Format, cell, duration, show_fields, show_json, show_rows, wrapped

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("text", "text"),
        (3, "3"),
        (True, "True"),
        ({"a": 1, "b": "x"}, "a=1, b=x"),
        ({}, ""),
        (["a", 2], "a, 2"),
        ((), ""),
        (Bytes(1500), "1.5 KB"),
        (AT, f"{AT.astimezone():%Y-%m-%d %H:%M}"),
    ],
)
def test_cells(value: Any, shown: str) -> None:
    assert cell(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0 s"), (42, "42 s"), (300, "5 min"), (11_100, "3 h 5 min"), (183_600, "2 d 3 h")],
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_json_has_numbers_and_whole_times(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"size": Bytes(1500), "at": AT, "none": None, "name": "grün"})
    assert json.loads(capsys.readouterr().out) == {
        "size": 1500,
        "at": "2026-01-02T03:04:05+00:00",
        "none": None,
        "name": "grün",
    }


ROWS = [
    {"name": "iris", "tags": {"a": "[bold]"}, "hidden": 1},
    {"name": "x" * 200, "tags": {}, "hidden": 2},
]


def test_a_row_stays_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, ["name", "tags"], Format.TABLE, "none")
    header, first, second = capsys.readouterr().out.splitlines()
    assert (header.split(), first.split(), second.split()) == (
        ["NAME", "TAGS"],
        ["iris", "a=[bold]"],
        ["x" * 200],
    )


def test_rows_as_json_have_everything(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, ["name"], Format.JSON, "none")
    assert json.loads(capsys.readouterr().out) == ROWS
    show_rows([], ["name"], Format.JSON, "none")
    assert json.loads(capsys.readouterr().out) == []


def test_no_rows_are_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([], ["name"], Format.TABLE, "No models yet.")
    assert capsys.readouterr().out == "No models yet.\n"


def test_fields(capsys: pytest.CaptureFixture[str]) -> None:
    show_fields(
        {"name": "iris", "none": None, "scoring_uri": "http://localhost:1/score", "error": "a\nb", "zero": 0},
        Format.TABLE,
    )
    assert capsys.readouterr().out == (
        "name         iris\nscoring uri  http://localhost:1/score\nzero         0\n\nerror:\na\nb\n"
    )


def test_texts_of_several_lines_follow_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    texts = {f"text_{number}": f"{number}\n{number}" for number in range(6)}
    show_fields(texts, Format.TABLE)
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("text")]
    assert shown == [f"text {number}:" for number in range(6)]


def test_without_a_terminal_nothing_is_folded() -> None:
    assert wrapped("word " * 100) == "word " * 100


def test_on_a_terminal_long_lines_are_folded_below_their_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    folded = wrapped(f"short\n  what     {'word ' * 12}\nhttp://localhost:1/{'x' * 60}")
    lines = folded.splitlines()
    assert lines[0] == "short"
    assert lines[1].startswith("  what     word word")
    assert all(line.startswith(" " * 11 + "word") for line in lines[2:-1])
    assert lines[-1] == f"http://localhost:1/{'x' * 60}"
    assert all(len(line) <= 40 for line in lines[:-1])
