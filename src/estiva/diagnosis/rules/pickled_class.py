"""A pickled model refers to a class or function that was defined in the notebook or program that saved it."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding

_MISSING = re.compile(r"Can't get attribute '(?P<name>[^']+)' on <module '(?P<module>[^']+)'")
_MAIN = {"__main__", "estiva_server.__main__", "service_driver"}


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    found = _MISSING.search(chain[-1].message) if chain else None
    if found is None or found["module"] not in _MAIN:
        return None
    return Finding(
        code="PickledClassMissing",
        title=f"The model needs {found['name']}, which is not in the service",
        what=f"{wording.place(chain[-1]) or 'The script'}, loads a model that refers to {found['name']}.",
        why="It was defined in the notebook or program that saved the model; a pickle holds names, not code.",
        evidence=wording.quote(chain[-1]),
        todo=(
            f"Move {found['name']} into a file of its own in the source directory.",
            "Import it from there where you train, and save and register the model again.",
        ),
    )
