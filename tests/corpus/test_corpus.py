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


def sample() -> list[object]:
    """Every third case is in the short form of the suite, the others only in the long one."""
    marks = {True: (), False: (pytest.mark.slow,)}
    return [pytest.param(case, id=case.name, marks=marks[n % 3 == 0]) for n, case in enumerate(CASES)]


@pytest.mark.parametrize("case", sample())
def test_the_right_finding_comes_first(case: Case, runner: Runner) -> None:
    outcome = runner.run(case)
    assert is_right(case, outcome), (outcome.code, outcome.text)


def test_the_corpus_is_as_large_as_it_says() -> None:
    healthy = [case for case in CASES if case.part == "healthy"]
    assert len(CASES) - len(healthy) >= 60
    assert len(healthy) >= 15
