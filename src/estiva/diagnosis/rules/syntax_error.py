"""A file of the user's is not Python."""

from __future__ import annotations

from estiva.diagnosis import tracebacks
from estiva.records import Evidence, Finding

_KINDS = {"SyntaxError", "IndentationError", "TabError"}


def check(evidence: Evidence) -> Finding | None:
    if evidence.code == "SyntaxError":  # found before anything was started
        place, _, reason = evidence.error.partition(": ")
        return _finding(place, reason, evidence.detail)
    chain = tracebacks.chain(evidence)
    if not chain or chain[-1].exception not in _KINDS:
        return None
    raised = chain[-1]
    reason = raised.message.splitlines()[0] if raised.message else raised.exception
    return _finding(f"{raised.file}, line {raised.line}", reason, raised.source)


def _finding(place: str, reason: str, source: str) -> Finding:
    return Finding(
        code="SyntaxError",
        title=f"Syntax error in {place}",
        what=f"Python cannot read the file: {reason}.",
        why=_why(reason),
        evidence=tuple(source.splitlines()),
        todo=("Correct the line (the mistake may be just before the mark), then deploy again.",),
    )


def _why(reason: str) -> str:
    if "Missing parentheses in call to" in reason:
        return "That is how Python 2 was written; the service runs Python 3."
    return ""
