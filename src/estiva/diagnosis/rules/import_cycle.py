"""Two of the user's files import each other."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding

_PARTIAL = re.compile(r"partially initialized module '(?P<module>[\w.]+)'")


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    found = _PARTIAL.search(chain[-1].message) if chain else None
    if found is None:
        return None
    module = found["module"]
    return Finding(
        code="ImportCycle",
        title=wording.title(chain[-1], f"{module} imports itself in a circle"),
        what=wording.exception(chain[-1]),
        why="Two files import each other, so the first is not complete when the second wants a name of it.",
        evidence=wording.quote(chain[-1]),
        todo=("Move what both need into a third file, or import inside the function that needs it.",),
    )
