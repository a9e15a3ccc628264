"""The process died while it served, once or again and again."""

from __future__ import annotations

import re
import signal

from estiva.diagnosis import stacks, tracebacks, wording
from estiva.diagnosis.rules import killed
from estiva.records import Evidence, Finding, StepName

_DIED = re.compile(
    r"estiva-server: (?P<said>The worker (?:was killed by (?P<signal>SIG\w+)|ended with status \d+) "
    r"while it served\.)"
)
_NOT_STARTED = re.compile(r"estiva-server: ended with exit status 3\. (?P<said>.+)")
_LOOP = 3
"""So many deaths are a loop."""


def check(evidence: Evidence) -> Finding | None:
    lines = tracebacks.plain(evidence.log_tail)
    deaths = [(number, match) for number, line in enumerate(lines) if (match := _DIED.fullmatch(line))]
    failed = [(number, match) for number, line in enumerate(lines) if (match := _NOT_STARTED.fullmatch(line))]
    if not (deaths or failed):
        return None
    number, first = min([*deaths, *failed], key=lambda found: found[0])
    return _finding(evidence, lines[:number], first, len(deaths) + len(failed))


def _finding(evidence: Evidence, before: list[str], first: re.Match[str], count: int) -> Finding:
    groups = first.groupdict()
    name = groups.get("signal")
    seen = evidence.model_copy(
        update={
            "step": StepName.RUN,
            "log_tail": tuple(before),
            "signal": signal.Signals[name].value if name else None,
        }
    )
    cause = killed.check(seen) if name else None
    places = stacks.own(before, evidence.entry_script)
    loop = count >= _LOOP
    what = f"{first['said']} Requests that it had were answered 502."
    return Finding(
        code="RestartLoop" if loop else cause.code if cause else "WorkerDied",
        title=f"The replica died {count} times; the first time: {cause.title if cause else first['said']}"
        if loop
        else cause.title
        if cause
        else f"{places[0] + ': ' if places else ''}the process ended while it served",
        what=f"{what} It is started again each time, after a growing pause." if loop else what,
        why=cause.why
        if cause
        else "The script, or a package, ended the process: os._exit(), a fatal error, or abort().",
        evidence=cause.evidence if cause else wording.last(before),
        todo=cause.todo
        if cause
        else ("See in the log what was printed last before it died: `estiva service logs NAME`.",),
        certainty=0.96,
    )
