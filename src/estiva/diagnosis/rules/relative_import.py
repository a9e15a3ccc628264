"""The entry script imports like a module of a package: `from .helper import f`."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    if not chain or "attempted relative import" not in chain[-1].message:
        return None
    raised = chain[-1]
    absolute = re.sub(r"(from|import)\s+\.+", r"\1 ", raised.source)
    return Finding(
        code="RelativeImport",
        title=wording.title(raised, "a relative import has no package to be relative to"),
        what=wording.exception(raised),
        why="The entry script is a module of its own; its folder is on the module path.",
        evidence=wording.quote(raised),
        todo=(f"Write it without the dot: `{absolute}`",),
    )
