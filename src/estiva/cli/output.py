"""How commands print: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any

import typer


class Format(str, Enum):
    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="A table for people, or JSON for programs.")]


def show_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2, default=str))


def show_rows(rows: Sequence[dict[str, Any]], columns: Sequence[str], output: Format, empty: str) -> None:
    """`columns` are keys of the rows, shown in that order; JSON has all keys."""
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
        table.add_column(column.upper().replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(row[column])) for column in columns))
    console = Console()
    # A pipe has no width: there, a row stays one line.
    console.print(table, soft_wrap=not console.is_terminal, width=None if console.is_terminal else 1000)


def show_fields(fields: dict[str, Any], output: Format) -> None:
    if output is Format.JSON:
        show_json(fields)
        return
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        typer.echo(f"{name.replace('_', ' '):<{width}}  {cell(value)}")


def cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
