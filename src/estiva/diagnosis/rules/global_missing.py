"""A name is not defined: most often init() set a local variable and run() wants a global one."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding

_NAME = re.compile(
    r"(?:name|(?:cannot access )?local variable) '(?P<name>\w+)' (?:is not defined|referenced|where)"
)


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    found = _NAME.search(chain[-1].message) if chain else None
    if found is None or chain[-1].exception not in ("NameError", "UnboundLocalError"):
        return None
    raised, name = chain[-1], found["name"]
    in_run = raised.function == "run"
    return Finding(
        code="NameUndefined",
        title=wording.title(raised, f"the name {name} is not defined"),
        what=wording.exception(raised),
        why=f"What init() assigns is local to it, unless init() says `global {name}`." if in_run else "",
        evidence=wording.quote(raised),
        todo=(
            f"Begin init() with the line `global {name}`, and assign {name} there.",
            "If it is a module, import it at the top of the script.",
        )
        if in_run
        else (f"Define or import {name} before {wording.place(raised)}, or correct its spelling.",),
    )
