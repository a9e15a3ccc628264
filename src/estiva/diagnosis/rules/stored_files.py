"""What was registered, or the disk that it is on, cannot be used. What to do is in the error."""

from __future__ import annotations

from estiva.records import Evidence, Finding, StepName

_TITLES = {
    "BlobDamaged": "A registered file is damaged",
    "BlobMissing": "A registered file is missing",
    "DiskFull": "The disk is full",
}


def check(evidence: Evidence) -> Finding | None:
    if evidence.code not in _TITLES or evidence.step is StepName.ENVIRONMENT:
        return None
    return Finding(
        code=evidence.code,
        title=_TITLES[evidence.code],
        what=evidence.error,
        evidence=tuple(evidence.detail.splitlines()[:1]),
        todo=("Do that, then deploy again.",),
    )
