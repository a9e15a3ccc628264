"""What the corpus does not have: exceptions that only look like those of a damaged model."""

from __future__ import annotations

import pytest

from estiva.diagnosis.rules.model_damaged import check
from estiva.records import Evidence, StepName


def evidence(source: str, exception: str) -> Evidence:
    log = (
        "Traceback (most recent call last):",
        '  File "/r/app/score.py", line 3, in init',
        f"    {source}",
        exception,
    )
    return Evidence(step=StepName.INIT, log_tail=log, entry_script="score.py")


@pytest.mark.parametrize(
    ("source", "exception"),
    [
        ("check(settings)", "ValueError: the text was truncated"),
        ("counts[60]", "KeyError: 60"),
        ("parse(text)", "ValueError: 118"),
    ],
)
def test_no_file_was_read(source: str, exception: str) -> None:
    assert check(evidence(source, exception)) is None


@pytest.mark.parametrize("exception", ["KeyError: 60", "_pickle.UnpicklingError: invalid load key, '<'."])
def test_a_web_page(exception: str) -> None:
    found = check(evidence("model = joblib.load(path)", exception))
    assert found is not None
    assert "it is a web page" in found.why
