"""Every code that a user can be shown has its section in docs/findings.md."""

from __future__ import annotations

import re
from pathlib import Path

from estiva.diagnosis import rules
from estiva.diagnosis.rules import client, entry_functions, environment, killed, stored_files, too_slow
from tests.corpus.cases import cases

PAGE = Path(__file__).parents[2] / "docs" / "findings.md"


def written() -> set[str]:
    """Codes in the text of the rules, and in their tables."""
    sources = (path.read_text() for path in Path(rules.__path__[0]).glob("*.py"))
    plain = {code for source in sources for code in re.findall(r'code="(\w+)"', source)}
    tables = {*environment._TITLES, *stored_files._TITLES, *too_slow._TITLES}
    functions = {code for _, code, _ in entry_functions._SAID}
    signals = {code for code, *_ in killed._KNOWN.values()}
    return {*plain, *tables, *functions, *signals, *(one.code for one in client._REFUSALS.values())}


def test_every_code_is_documented_and_nothing_else_is() -> None:
    documented = re.findall(r"^### (\w+)$", PAGE.read_text(), re.MULTILINE)
    assert len(documented) == len(set(documented))
    known = written() | {case.code for case in cases() if case.code} | {"Killed"}
    assert known == set(documented)
