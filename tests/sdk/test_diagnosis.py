from __future__ import annotations

from estiva import messages
from estiva.records import Finding, ServiceState
from estiva.sdk.diagnosis import Diagnosis

FOUND = Finding(
    code="RunRaised",
    title="score.py, line 7: <KeyError>",
    what="It raised.",
    evidence=("score.py:7: data['<b>']",),
    todo=("Correct it.",),
)


def diagnosis(*findings: Finding) -> Diagnosis:
    return Diagnosis(
        messages.Diagnosis(
            service="iris",
            state=ServiceState.HEALTHY,
            generation=1,
            serving=1,
            findings=findings,
            evidence=(),
        )
    )


def test_nothing_wrong_is_said_and_is_false() -> None:
    well = diagnosis()
    assert not well
    assert str(well) == "Nothing is known to be wrong with iris."
    assert well._repr_html_() == "<p>Nothing is known to be wrong with iris.</p>"


def test_findings_are_text_a_list_and_a_view_in_notebooks() -> None:
    found = diagnosis(FOUND)
    assert [finding.code for finding in found] == ["RunRaised"]
    assert str(found).startswith("score.py, line 7: <KeyError>\n  what      It raised.\n  evidence  | ")
    assert repr(found) == "Diagnosis(service='iris', findings=['RunRaised'])"
    html = found._repr_html_()
    assert "<h4>score.py, line 7: &lt;KeyError&gt; <code>RunRaised</code></h4>" in html
    assert "data[&#x27;&lt;b&gt;&#x27;]" in html
    assert "<li>Correct it.</li>" in html
