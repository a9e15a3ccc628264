"""Every case of the corpus, deployed for real: the finding that its user is shown first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.corpus.cases import Case, cases
from tests.corpus.running import Runner, is_right
from tests.e2e.conftest import throw_away_home

CASES = cases()


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with throw_away_home(tmp_path_factory):
        yield Runner(tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_right_finding_comes_first(case: Case, runner: Runner) -> None:
    outcome = runner.run(case)
    assert is_right(case, outcome), (outcome.code, outcome.text)


def test_the_corpus_is_as_large_as_it_says() -> None:
    healthy = [case for case in CASES if case.part == "healthy"]
    assert len(CASES) - len(healthy) >= 60
    assert len(healthy) >= 15
