"""How commands print: tables and text for people, as wide as their terminal; JSON for programs."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import typer

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_PIPE_WIDTH = 10_000
_LABEL = re.compile(r" *(?:(?:what|why|evidence|to do) +)?(?:\| )?")


class Format(str, Enum):
    TABLE = "table"
    JSON = "json"


class Bytes(int):
    """A size: a number for programs, with its unit for people."""


Output = Annotated[Format, typer.Option("--output", "-o", help="A table for people, or JSON for programs.")]


def show_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2, default=_as_json))


def _as_json(value: Any) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def show_rows(rows: Sequence[dict[str, Any]], columns: Sequence[str], output: Format, empty: str) -> None:
    """`columns` are keys of the rows, shown in that order; JSON has all keys.

    On a narrow terminal the text in cells folds, but never a URL or a time: they are there to be copied.
    """
    if output is Format.JSON:
        show_json(list(rows))
        return
    if not rows:
        typer.echo(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        whole = any(_must_stay_whole(row[column]) for row in rows)
        table.add_column(column.upper().replace("_", " "), overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(Text(cell(row[column])) for column in columns))
    # A pipe has no width: there, a row stays one line.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def _must_stay_whole(value: Any) -> bool:
    return isinstance(value, datetime) or (isinstance(value, str) and "://" in value)


def show_fields(fields: dict[str, Any], output: Format) -> None:
    """One field per line, what is empty left out; texts of several lines follow, below their names."""
    if output is Format.JSON:
        show_json(fields)
        return
    shown = {name.replace("_", " "): cell(value) for name, value in fields.items() if value not in _EMPTY}
    lines = {name: text for name, text in shown.items() if "\n" not in text}
    width = max(map(len, lines), default=0)
    for name, text in lines.items():
        typer.echo(wrapped(f"{name:<{width}}  {text}", indent=width + 2))
    for name, text in shown.items():
        if name not in lines:
            typer.echo(f"\n{name}:\n{wrapped(text)}")


_EMPTY: tuple[Any, ...] = (None, "", {}, [], ())


def cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M}"
    if isinstance(value, Bytes):
        from estiva.sdk.output import size

        return size(value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def duration(seconds: float) -> str:
    """ "42 s", "5 min", "3 h 5 min", "2 d 3 h"."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"
    return f"{seconds // _DAY:.0f} d {seconds % _DAY // _HOUR:.0f} h"


def wrapped(text: str, indent: int | None = None) -> str:
    """Lines that are too long for the terminal folded between words, below where their text begins.

    Without a terminal nothing is folded: a program reads it, or a file keeps it.
    """
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(
        line if len(line) <= width else _folded(line, width, indent) for line in text.splitlines()
    )


def _folded(line: str, width: int, indent: int | None) -> str:
    label = _LABEL.match(line)
    hanging = indent if indent is not None else label.end() if label else 0
    return textwrap.fill(
        line, width, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False
    )
