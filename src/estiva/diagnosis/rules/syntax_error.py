"""A file of the user's is not Python."""

from __future__ import annotations

from estiva.diagnosis import tracebacks
from estiva.records import Evidence, Finding, Traceback

_KINDS = {"SyntaxError", "IndentationError", "TabError"}


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    if not chain or chain[-1].exception not in _KINDS:
        return None
    raised = chain[-1]
    reason = raised.message.splitlines()[0] if raised.message else raised.exception
    return Finding(
        code="SyntaxError",
        title=f"Syntax error in {raised.file}, line {raised.line}",
        what=f"Python cannot read the file: {reason}.",
        why=_why(raised),
        evidence=tuple(raised.source.splitlines()),
        todo=("Correct the line (the mistake may be just before the mark), then deploy again.",),
    )


def _why(raised: Traceback) -> str:
    if "Missing parentheses in call to" in raised.message:
        return "That is how Python 2 was written; the service runs Python 3."
    return ""
