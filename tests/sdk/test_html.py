from __future__ import annotations

from estiva.sdk.html import table


def test_a_table_has_what_is_there_and_escapes_it() -> None:
    shown = table("Model <x>", {"state": "a<b", "none": None, "tags": {"k": "v&w"}, "empty": []})
    assert "<b>Model &lt;x&gt;</b>" in shown
    assert "a&lt;b" in shown
    assert "k=v&amp;w" in shown
    assert "none" not in shown
    assert "empty" not in shown


def test_addresses_are_links_and_long_texts_keep_their_lines() -> None:
    shown = table("x", {"scoring": "http://localhost:1/score", "failed": "one\ntwo"})
    assert "<a href='http://localhost:1/score'>http://localhost:1/score</a>" in shown
    assert "<pre>one\ntwo</pre>" in shown
