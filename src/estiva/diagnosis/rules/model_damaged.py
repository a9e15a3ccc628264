"""The model's file is there and is not what the script takes it for."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.diagnosis.listing import models
from estiva.records import Evidence, Finding, Traceback

_LFS = re.compile(r"invalid load key, 'v'")
_HTML = re.compile(r"invalid load key, '<'")
_OTHER = re.compile(r"invalid load key, |could not find MARK|unregistered persistent id|pickle opcode")
_CUT = re.compile(
    r"Ran out of input|pickle data was truncated|unexpected end of data|Compressed file ended before|"
    r"unexpected EOF|failed finding central directory|not a zip file|truncated",
    re.IGNORECASE,
)
_CHARACTER = re.compile(r"\d{1,3}")
_PROTOCOL = re.compile(r"unsupported pickle protocol: (?P<number>\d+)")
_KINDS = {
    "UnpicklingError",
    "EOFError",
    "BadZipFile",
    "OSError",
    "RuntimeError",
    "error",
    "ValueError",
    "IndexError",
}


def check(evidence: Evidence) -> Finding | None:
    for raised in reversed(tracebacks.chain(evidence)):
        message = _message(raised)
        if found := _PROTOCOL.search(message):
            return _protocol(raised, found["number"])
        if said := _said(message):
            return _finding(evidence, raised, *said)
    return None


def _message(raised: Traceback) -> str:
    """Of an exception of what reads models, as pickle says it; empty for any other."""
    if not tracebacks.reads_file(raised):
        return ""
    if raised.exception == "KeyError" and _CHARACTER.fullmatch(raised.message):
        # joblib reads pickles in Python, and says the number of the character.
        return f"invalid load key, '{chr(int(raised.message))}'"
    return raised.message if raised.exception.rsplit(".", 1)[-1] in _KINDS else ""


def _said(message: str) -> tuple[str, str] | None:
    """What the file is, and what to do about it."""
    if _LFS.search(message):
        return (
            "It begins with a v, as the pointers do that Git LFS leaves in the place of large files.",
            "Fetch the content with `git lfs pull`, then register the model again.",
        )
    if _HTML.search(message):
        return (
            "It begins with <: it is a web page (to sign in, or of an error) under the model's name.",
            "Download the model again, look at the file, then register it again.",
        )
    if _CUT.search(message):
        return (
            "The file ends too early: it is empty, or was cut short when it was saved or copied.",
            "Save or copy it again (close the file that you dump into), then register the model again.",
        )
    if _OTHER.search(message):
        return (
            (
                "It was written by something else than what reads it: joblib.dump goes with joblib.load, "
                "pickle.dump with pickle.load, torch.save with torch.load."
            ),
            "Load it with what saved it, or save the model again.",
        )
    return None


def _finding(evidence: Evidence, raised: Traceback, why: str, todo: str) -> Finding:
    return Finding(
        code="ModelDamaged",
        title=wording.title(raised, "the model's file cannot be read"),
        what=wording.exception(raised),
        why=why,
        evidence=(*wording.quote(raised), *models(evidence)),
        todo=(todo,),
        certainty=0.95,
    )


def _protocol(raised: Traceback, number: str) -> Finding:
    return Finding(
        code="ModelOfNewerPython",
        title=wording.title(raised, "the model was saved by a newer Python"),
        what=f"The model's pickle has protocol {number}, which this Python does not know.",
        evidence=wording.quote(raised),
        todo=(
            "Name the Python that you trained with in the environment: python=3.x in the conda YAML.",
            "Or save the model again with protocol=4.",
        ),
    )
