"""The script writes where it must not."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.diagnosis.listing import MODELS
from estiva.records import Evidence, Finding

_DENIED = re.compile(r"\[Errno (?:1|13|30)\] [\w -]+?(?:: b?'(?P<path>.*?)')?$")


def check(evidence: Evidence) -> Finding | None:
    for raised in reversed(tracebacks.chain(evidence)):
        found = _DENIED.match(raised.message)
        if raised.exception in ("PermissionError", "OSError") and found:
            path = found["path"] or "the file"
            return Finding(
                code="PermissionDenied",
                title=wording.title(raised, f"{path} must not be written or read"),
                what=f"The system refused the script access to {path}.",
                why="The models are shared by all replicas and cannot be changed."
                if MODELS in path
                else "A service runs as the user who deployed it, and has that user's rights.",
                evidence=wording.quote(raised),
                todo=(
                    "Write to tempfile.mkdtemp() instead, or to a path relative to the app root.",
                    "If it is only read, give this user the right to (chmod), or ship it with the script.",
                ),
            )
    return None
