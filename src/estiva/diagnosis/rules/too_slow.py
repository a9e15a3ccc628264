"""The start, init() or the health check did not end in time."""

from __future__ import annotations

from estiva.diagnosis import stacks, wording
from estiva.records import Evidence, Finding

_TITLES = {
    "StartTimeout": "The replica did not start in time",
    "InitTimeout": "init() took too long",
    "HealthCheckFailed": "The replica started but does not answer",
}


def check(evidence: Evidence) -> Finding | None:
    if evidence.code not in _TITLES:
        return None
    places = stacks.own(evidence.log_tail, evidence.entry_script)
    return Finding(
        code=evidence.code,
        title=f"{places[0]}: {_TITLES[evidence.code]}" if places else _TITLES[evidence.code],
        what=evidence.error,
        why=_why(evidence, places),
        evidence=tuple(f"it was at {place}" for place in places) or wording.tail(evidence),
        todo=_todo(places),
    )


def _why(evidence: Evidence, places: tuple[str, ...]) -> str:
    if places:
        return "The evidence is where it was shortly before it was given up, the innermost call first."
    if evidence.log_tail:
        return "The evidence is what the log says last."
    return "The script printed nothing."


def _todo(places: tuple[str, ...]) -> tuple[str, ...]:
    if places:
        return (
            f"See what {places[0]}, waits for or computes. init() must return; a server or a loop does not.",
            "If it downloads a file, put that into the model; give every connection a timeout.",
            "If it only needs longer: `--init-timeout SECONDS`, deploy_configuration(init_timeout_sec=...).",
        )
    return (
        "See in the log how far it came; a print() between the steps of init() shows more.",
        "If it downloads a file, put that into the model; give every connection a timeout.",
    )
