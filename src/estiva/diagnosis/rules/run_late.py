"""run() did not end before the deadline of its request, which was answered 504."""

from __future__ import annotations

from estiva.diagnosis import runs, tracebacks
from estiva.diagnosis.runs import Failure
from estiva.records import Evidence, Finding

_HELD = "run() exceeded its deadline and lets nothing else run"


def check(evidence: Evidence) -> Finding | None:
    for failure in runs.late(evidence):
        places = tracebacks.places(failure.lines, evidence.entry_script)
        why = "The evidence is where it was at its deadline, the innermost call first." if places else ""
        return _finding(failure, places, why)
    held = sum(_HELD in line for line in evidence.log_tail)
    late = held or _answered_late(evidence)
    if not late:
        return None
    limit = str(evidence.limits.timeout_ms) if evidence.limits else "the time"
    why = "It was in compiled code that lets nothing else run, so nobody could look where." if held else ""
    return _finding(Failure(said=limit, request="in the access log", count=late), (), why)


def _answered_late(evidence: Evidence) -> int:
    """Requests that the gateway itself gave up."""
    answers = evidence.traffic.answers if evidence.traffic else ()
    return sum(answer.count for answer in answers if answer.status == 504)


def _finding(failure: Failure, places: tuple[str, ...], why: str) -> Finding:
    where = f"{places[0]}: " if places else ""
    return Finding(
        code="RunTimeout",
        title=f"{where}run() did not end within {failure.said} ms",
        what=f"The answer was 504, and the worker was replaced: {failure.times}.",
        why=why,
        evidence=(*(f"it was at {place}" for place in places), failure.quoted),
        todo=(
            f"See what {places[0]}, waits for or computes: a loop, a lock, a call without a timeout."
            if places
            else "Look at loops and at regular expressions in run(): one like (a+)+$ may never end.",
            "If it only needs longer: deploy with `--timeout-ms`, or scoring_timeout_ms.",
        ),
        certainty=0.97,
    )
