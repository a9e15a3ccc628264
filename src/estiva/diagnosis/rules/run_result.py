"""run() returned what cannot be sent."""

from __future__ import annotations

import re

from estiva.diagnosis import runs
from estiva.records import Evidence, Finding

_ADVICE = re.compile(r"^(?P<what>.*?)\. (?P<todo>Return .*)$")


def check(evidence: Evidence) -> Finding | None:
    for failure in runs.results(evidence):
        found = _ADVICE.match(failure.said)
        return Finding(
            code="ResultNotJson",
            title="run() returns what JSON cannot hold",
            what=f"{found['what'] if found else failure.said}.",
            why="An answer is JSON: str, numbers, bool, None, lists and dicts.",
            evidence=(failure.quoted,),
            todo=(
                found["todo"] if found else "Return str, numbers, bool, None, lists and dicts.",
                "Then `estiva service reload NAME`.",
            ),
        )
    return None
