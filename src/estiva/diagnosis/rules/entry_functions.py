"""The entry script lacks init() or run(), or they cannot be called as they must be."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks
from estiva.records import Evidence, Finding

# What the scoring server says, and the code and title that it means.
_SAID = (
    (r"(?P<script>.+) defines no function init\(\)\.", "InitMissing", "{script} has no init()"),
    (r"(?P<script>.+) defines no function run\(data\)\.", "RunMissing", "{script} has no run(data)"),
    (
        r"(?P<script>.+) defines run\(.*\), but run must take exactly one parameter",
        "RunParameters",
        "run() in {script} has the wrong parameters",
    ),
    (
        r"init\(\) in (?P<script>.+) raised TypeError: init\(\) (missing|takes) ",
        "InitParameters",
        "init() in {script} must take no parameters",
    ),
    (
        r"(?P<name>init|run) in (?P<script>.+) is a .+, but must be a function\.",
        "NotAFunction",
        "{name} in {script} is not a function",
    ),
    (
        r"(?P<name>init|run)\(\) in (?P<script>.+) is declared `async def`\.",
        "AsyncFunction",
        "{name}() in {script} is declared async",
    ),
)


def check(evidence: Evidence) -> Finding | None:
    said = tracebacks.sentence(evidence) or evidence.error
    for pattern, code, title in _SAID:
        if found := re.search(pattern, said):
            return Finding(
                code=code,
                title=title.format(**found.groupdict()),
                what=said,
                why="The server calls init() once when it starts, and run() with each request's body.",
                todo=(f'Define both in {found["script"]}: "def init():" and "def run(data):".',),
            )
    return None
