"""A signal ended the replica."""

from __future__ import annotations

import signal

from estiva.diagnosis import stacks, wording
from estiva.records import Evidence, Finding

_FREE_MEMORY = (
    "Make room: end other programs, deploy fewer replicas, or use a machine with more memory.",
    "Need less: load the model once, in init(), in a smaller form (float32, memory-mapped).",
)
_NATIVE = (
    "Compiled code crashed, not Python: look at the versions of the packages with such code (numpy first).",
    "Run the line of the evidence alone, in the same environment, to see which package it is.",
)
_KNOWN: dict[int, tuple[str, str, str, tuple[str, ...]]] = {
    signal.SIGKILL: (
        "OutOfMemory",
        "The replica was killed: most likely it ran out of memory",
        "The system kills the largest process when memory is short; nothing else kills this way by itself.",
        _FREE_MEMORY,
    ),
    signal.SIGSEGV: ("Crashed", "The replica crashed (segmentation fault)", "", _NATIVE),
    signal.SIGBUS: ("Crashed", "The replica crashed (bus error)", "", _NATIVE),
    signal.SIGABRT: ("Crashed", "The replica crashed (it aborted itself)", "", _NATIVE),
    signal.SIGILL: (
        "Crashed",
        "The replica crashed (illegal instruction)",
        "A package was compiled for a newer processor than this machine has.",
        ("Use a build of that package for this processor, or another machine.",),
    ),
}


def check(evidence: Evidence) -> Finding | None:
    if evidence.code == "OutOfMemory":
        return _over_its_limit(evidence)
    number = _number(evidence)
    if number is None:
        return None
    name = next((known.name for known in signal.Signals if known == number), f"signal {number}")
    places = stacks.own(evidence.log_tail, evidence.entry_script)
    code, title, why, todo = _KNOWN.get(number, ("Killed", f"The replica was ended by {name}", "", ()))
    return Finding(
        code=code,
        title=f"{places[0]}: {title[0].lower()}{title[1:]}" if places else title,
        what=f"{name} ended the process while it was in the step {evidence.step.value}.",
        why=why,
        evidence=tuple(f"it was at {place}" for place in places) or wording.tail(evidence),
        todo=todo or ("Find out what sent the signal, then deploy again.",),
        certainty=0.9 if number == signal.SIGKILL else 1.0,
    )


def _over_its_limit(evidence: Evidence) -> Finding:
    return Finding(
        code="OutOfMemory",
        title="The replica needs more memory than its limit",
        what=evidence.error,
        evidence=wording.tail(evidence),
        todo=("Deploy with a higher memory_gb (--memory), or without one.", _FREE_MEMORY[1]),
    )


def _number(evidence: Evidence) -> int | None:
    """Containers say it as 128 + the number."""
    if evidence.signal is not None:
        return evidence.signal
    code = evidence.exit_code or 0
    return code - 128 if 128 < code < 128 + 65 else None
