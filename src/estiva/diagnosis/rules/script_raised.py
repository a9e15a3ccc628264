"""The user's script raised, on import or in init(), and no rule knows the exception better."""

from __future__ import annotations

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    if not chain:
        return None
    raised, first = chain[-1], chain[0]
    in_init = tracebacks.sentence(evidence).startswith("init() ")
    return Finding(
        code="ScriptRaised",
        title=wording.title(raised, wording.exception(raised)),
        what=f"{'init()' if in_init else 'The script'} raised an exception, so the service could not start.",
        why=f"It came of this: {wording.title(first, wording.exception(first))}"
        if first is not raised
        else "",
        evidence=(*wording.quote(first), *(wording.quote(raised) if first is not raised else ())),
        todo=(
            f"Correct {raised.file or 'the script'}, then deploy again.",
            f"To try it without deploying: {wording.trial(evidence)}",
        ),
        certainty=0.9,
    )
