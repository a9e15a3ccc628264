"""No rule knows what happened: the evidence itself, and where to look."""

from __future__ import annotations

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding


def check(evidence: Evidence) -> Finding | None:
    return Finding(
        code=evidence.code or "Unexplained",
        title=f"The step {evidence.step.value} failed",
        what=tracebacks.sentence(evidence) or evidence.error or _status(evidence),
        evidence=wording.tail(evidence, 10),
        todo=(f"Read the whole log. To try the script by hand: {wording.trial(evidence)}",),
        certainty=0.1,
    )


def _status(evidence: Evidence) -> str:
    if evidence.exit_code is None:
        return "Nothing was said about why."
    return f"The process ended with exit status {evidence.exit_code}, and said nothing about why."
