"""The official server and ours, asked the same: they answer alike, apart from what is declared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.server.conformance.answers import ask
from tests.server.conformance.cases import Case, Group
from tests.server.conformance.corpus import GROUPS
from tests.server.conformance.differences import DIFFERENCES
from tests.server.conformance.official import NotInstalledError, OfficialServer, environment
from tests.server.serving import ScoringServer, write_files

DOCUMENT = Path(__file__).parents[3] / "docs/differences.md"


@pytest.fixture(scope="module")
def installed() -> None:
    try:
        environment()
    except NotInstalledError as error:
        pytest.skip(f"the official server is not installed: {error}")


@contextmanager
def both(folder: Path, group: Group) -> Iterator[tuple[int, int]]:
    """The ports of the official server and of ours, which serve the same files."""
    there, here = (write_files(folder / name, group.files) for name in ("official", "ours"))
    official = OfficialServer(there, group.entry_script, group.variables)
    ours = ScoringServer(here, ["--entry-script", group.entry_script], group.variables)
    try:
        official.wait_until_ready()
        ours.wait_until_ready()
        yield official.port, ours.port
    finally:
        official.stop()
        ours.kill()


def differing(ports: tuple[int, int], case: Case) -> dict[str, tuple[Any, Any]]:
    """By aspect, what the official server answers and what ours does."""
    official, ours = (ask(port, case) for port in ports)
    aspects = official.keys() | ours.keys()
    answers = {aspect: (official.get(aspect), ours.get(aspect)) for aspect in aspects}
    return {aspect: pair for aspect, pair in answers.items() if pair[0] != pair[1]}


def declared(case: Case) -> dict[str, tuple[Any, Any]]:
    return {name: change for difference in case.differs for name, change in difference.changes.items()}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_both_answer_alike(group: Group, tmp_path: Path) -> None:
    with both(tmp_path, group) as ports:
        found = {case.name: differing(ports, case) for case in group.cases}
    assert found == {case.name: declared(case) for case in group.cases}


def test_a_case_has_its_own_name() -> None:
    for group in GROUPS:
        names = [case.name for case in group.cases]
        assert len(set(names)) == len(names), group.name


def test_every_difference_is_shown_by_a_case() -> None:
    shown = {difference.subject for group in GROUPS for case in group.cases for difference in case.differs}
    assert shown == {difference.subject for difference in DIFFERENCES}


def test_the_document_lists_every_difference() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")][2:]
    assert rows == [f"| {one.subject} | {one.official} | {one.ours} | {one.why} |" for one in DIFFERENCES]
