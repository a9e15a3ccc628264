"""A binary file is read as text, or a text as bytes."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding

_SAID = (
    ("UnicodeDecodeError", re.compile(r"codec can't decode byte 0x")),
    ("TypeError", re.compile(r"a bytes-like object is required, not 'str'")),
)


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    if not chain or not any(
        chain[-1].exception == name and said.search(chain[-1].message) for name, said in _SAID
    ):
        return None
    raised = chain[-1]
    if not tracebacks.reads_file(raised):
        return None
    return Finding(
        code="FileMode",
        title=wording.title(raised, "a binary file is read as text"),
        what=wording.exception(raised),
        why="open() reads text unless its mode has a b; a model's file is no text.",
        evidence=wording.quote(raised),
        todo=(
            'Open it with mode "rb": open(path, "rb").',
            'If it is text in another encoding, name that: open(path, encoding="latin-1").',
        ),
        certainty=0.9,
    )
