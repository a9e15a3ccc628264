"""The entry script lacks init() or run(), or they cannot be called as they must be."""

from __future__ import annotations

import re
from difflib import get_close_matches

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

# What people call them elsewhere.
_OFTEN = {
    "init": {"initialize", "load_model", "__init__", "setup"},
    "run": {"predict", "score", "main", "handler"},
}


def check(evidence: Evidence) -> Finding | None:
    said = tracebacks.sentence(evidence) or evidence.error
    for pattern, code, title in _SAID:
        if found := re.search(pattern, said):
            missing = {"InitMissing": "init", "RunMissing": "run"}.get(code)
            meant = _meant(evidence, missing) if missing else ()
            return Finding(
                code=code,
                title=title.format(**found.groupdict()),
                what=said,
                why="The server calls init() once when it starts, and run() with each request's body.",
                evidence=meant,
                todo=_todo(code, found["script"], meant),
            )
    return None


def _meant(evidence: Evidence, name: str) -> tuple[str, ...]:
    """What the script defines instead: the name at another place, or one that is like it."""
    names = [definition.partition(":")[0] for definition in evidence.definitions]
    alike = {name, *get_close_matches(name, names, cutoff=0.6), *_OFTEN[name]}
    return tuple(
        f"{evidence.entry_script} defines {definition}"
        for definition in evidence.definitions
        if definition.partition(":")[0] in alike
    )[:3]


def _todo(code: str, script: str, meant: tuple[str, ...]) -> tuple[str, ...]:
    both = f'Define both in {script}: "def init():" and "def run(data):".'
    if not meant:
        return (both,)
    name = "init" if code == "InitMissing" else "run"
    if f"defines {name}:" in meant[0]:
        return (f"Move {name}() to the left margin of the file, out of what it is in: see the evidence.",)
    return (f"Rename it to {name}.", both)
