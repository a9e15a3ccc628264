"""How objects show themselves in notebooks: one small table."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_LEFT = "style='text-align:left'"


def table(title: str, fields: Mapping[str, object]) -> str:
    """HTML of a two-column table; values that are empty are left out, links become links."""
    rows = "".join(
        f"<tr><th {_LEFT}>{escape(name)}</th><td {_LEFT}>{_cell(value)}</td></tr>"
        for name, value in fields.items()
        if value not in (None, "", {}, [])
    )
    return f"<table><caption {_LEFT}><b>{escape(title)}</b></caption>{rows}</table>"


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{escape(str(key))}={escape(str(item))}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(escape(str(item)) for item in value)
    text = escape(str(value))
    if text.startswith(("http://", "https://")):
        return f"<a href='{text}'>{text}</a>"
    return f"<pre>{text}</pre>" if "\n" in text else text
