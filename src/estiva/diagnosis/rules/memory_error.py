"""Python itself could not get the memory that it asked for."""

from __future__ import annotations

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding

_KINDS = {"MemoryError", "_ArrayMemoryError", "ArrayMemoryError", "OutOfMemoryError"}


def check(evidence: Evidence) -> Finding | None:
    for raised in reversed(tracebacks.chain(evidence)):
        if raised.exception.rsplit(".", 1)[-1] in _KINDS or "std::bad_alloc" in raised.message:
            return Finding(
                code="OutOfMemory",
                title=wording.title(raised, "there was not enough memory"),
                what=wording.exception(raised),
                why="The script asked for more memory than the machine has left.",
                evidence=wording.quote(raised),
                todo=(
                    (
                        "Need less: load the model once, in init(), in a smaller form (float32), "
                        "and check the sizes that the line computes."
                    ),
                    "Or make room: end other programs, deploy fewer replicas, or take a larger machine.",
                ),
            )
    return None
