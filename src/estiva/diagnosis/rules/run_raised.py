"""run() raised an exception: every request that makes it is answered 502."""

from __future__ import annotations

from estiva.diagnosis import wording
from estiva.diagnosis.runs import Raised
from estiva.records import Evidence, Finding


def check(evidence: Evidence, failure: Raised) -> Finding:
    raised = failure.raised
    return Finding(
        code="RunRaised",
        title=wording.title(raised, wording.private(raised)),
        what=f"run() raised an exception, and its request was answered 502: {failure.times}.",
        evidence=(*wording.located(raised), failure.quoted),
        todo=(
            f"Correct {raised.file or 'the script'}, then `estiva service reload NAME`.",
            f"The whole traceback: `estiva service logs NAME`, at request id {failure.request}.",
            f"To try it without deploying: {wording.trial(evidence)}",
        ),
        certainty=0.95,
    )
