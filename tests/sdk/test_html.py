from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from estiva.sdk.html import table


def cells(fields: dict[str, object]) -> dict[str, str]:
    """What a notebook shows, by the fields' names."""
    rows = ET.fromstring(table("Service <mine>", fields)).findall("tr")
    return {"".join(row[0].itertext()): "".join(row[1].itertext()) for row in rows}


def test_fields_are_shown_as_they_are_whatever_characters_they_have() -> None:
    shown = cells({"name": "<b>&'\"", "tags": {"<a>": "b&c"}, "models": ["x:1", "<y>"], "n": 0})
    assert shown == {"name": "<b>&'\"", "tags": "<a>=b&c", "models": "x:1, <y>", "n": "0"}


@pytest.mark.parametrize("nothing", [None, "", {}, []])
def test_what_is_empty_is_left_out(nothing: object) -> None:
    assert cells({"name": "mine", "other": nothing}) == {"name": "mine"}


def test_an_address_is_a_link() -> None:
    link = ET.fromstring(table("x", {"scoring": "http://localhost:1/score?a=b&c=d"})).find(".//a")
    assert link is not None
    assert link.get("href") == link.text == "http://localhost:1/score?a=b&c=d"


def test_a_text_of_several_lines_keeps_them() -> None:
    assert ET.fromstring(table("x", {"failed": "a\n  b"})).findtext(".//pre") == "a\n  b"
