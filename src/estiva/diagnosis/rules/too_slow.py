"""The start, init() or the health check did not end in time."""

from __future__ import annotations

from estiva.diagnosis import wording
from estiva.records import Evidence, Finding

_TITLES = {
    "StartTimeout": "The replica did not start in time",
    "InitTimeout": "init() took too long",
    "HealthCheckFailed": "The replica started but does not answer",
}


def check(evidence: Evidence) -> Finding | None:
    if evidence.code not in _TITLES:
        return None
    return Finding(
        code=evidence.code,
        title=_TITLES[evidence.code],
        what=evidence.error,
        why=_why(evidence),
        evidence=wording.tail(evidence),
        todo=(
            "See in the log how far it came; a print() between the steps of init() shows more.",
            "If it downloads a file, put that into the model; give every connection a timeout.",
        ),
    )


def _why(evidence: Evidence) -> str:
    if evidence.log_tail:
        return "The evidence is what the log says last."
    return "The script printed nothing."
