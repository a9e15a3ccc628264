"""The corpus of broken scripts, each run by the real scoring server, and the whole text that a user is shown.

A case is a file: "=== file NAME" for each file in the app root, "=== packages" for what the environment has,
and "=== shown" for the text.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.diagnosis import diagnose
from estiva.findings import render
from estiva.records import Evidence, Finding, StepName
from tests.diagnosis.conftest import Failing

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.txt"))


def sections(case: Path) -> dict[str, str]:
    _, *parts = re.split(r"^=== (.+)\n", case.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.stem)
def test_a_broken_script_is_explained(case: Path, failing: Failing) -> None:
    parts = sections(case)
    files = {title.removeprefix("file "): text for title, text in parts.items() if title.startswith("file ")}
    evidence = failing(files, tuple(parts.get("packages", "").split()))
    assert render(diagnose(evidence)) == parts["shown"].rstrip("\n")


def test_what_no_rule_knows_is_quoted() -> None:
    evidence = Evidence(step=StepName.ROUTE, error="The gateway is gone.", detail="line 1\nline 2")
    assert (
        render(diagnose(evidence))
        == """\
The step route failed
  what      The gateway is gone.
  evidence  | line 1
            | line 2
  to do     Read the whole log. To try the script by hand: estiva try score.py --data FILE"""
    )


def test_several_findings_are_paragraphs_in_the_order_of_certainty() -> None:
    first = Finding(code="A", title="A happened", what="It was A.", todo=("Undo A.",))
    second = Finding(code="B", title="B may have happened", what="", certainty=0.5)
    assert render([first, second]) == (
        "A happened\n  what      It was A.\n  to do     Undo A.\n\nB may have happened"
    )


@given(
    st.builds(
        Evidence,
        step=st.sampled_from(StepName),
        code=st.sampled_from(["", "InitTimeout", "PortInUse", "VersionConflict"]),
        exit_code=st.none() | st.integers(-70, 300),
        signal=st.none() | st.integers(1, 70),
        log_tail=st.lists(
            st.text(max_size=40) | st.sampled_from(["Traceback (most recent call last):", "KeyError: 'a'"]),
            max_size=8,
        ).map(tuple),
    )
)
def test_there_is_always_a_finding_and_the_most_certain_is_first(evidence: Evidence) -> None:
    findings = diagnose(evidence)
    assert findings
    assert [f.certainty for f in findings] == sorted((f.certainty for f in findings), reverse=True)
    assert render(findings).strip()
