"""The model's file is there and is not what the script takes it for."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.diagnosis.listing import models
from estiva.records import Evidence, Finding, Traceback

# pickle says it so, and joblib, which reads it in Python, with the number of the character.
_LFS = re.compile(r"invalid load key, 'v'|118")
_HTML = re.compile(r"invalid load key, '<'|60")
_OTHER = re.compile(
    r"invalid load key, '(?P<key>.+)'|could not find MARK|unregistered persistent id|pickle opcode|\d+$"
)
_CUT = re.compile(
    r"Ran out of input|pickle data was truncated|unexpected end of data|Compressed file ended before|"
    r"unexpected EOF|failed finding central directory|not a zip file|truncated",
    re.IGNORECASE,
)
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
        if raised.exception.rsplit(".", 1)[-1] not in _KINDS and not _is_key_of_joblib(raised):
            continue
        if found := _PROTOCOL.search(raised.message):
            return _protocol(raised, found["number"])
        if said := _said(raised):
            return _finding(evidence, raised, *said)
    return None


def _is_key_of_joblib(raised: Traceback) -> bool:
    return raised.exception == "KeyError" and raised.message.isdecimal() and "joblib" in raised.source


def _said(raised: Traceback) -> tuple[str, str] | None:
    """What the file is, and what to do about it."""
    if _LFS.match(raised.message):
        return (
            "It begins with a v, as the pointers do that Git LFS leaves in the place of large files.",
            "Fetch the content with `git lfs pull`, then register the model again.",
        )
    if _HTML.match(raised.message):
        return (
            "It begins with <: it is a web page (to sign in, or of an error) under the model's name.",
            "Download the model again, look at the file, then register it again.",
        )
    if _CUT.search(raised.message):
        return (
            "The file ends too early: it is empty, or was cut short when it was saved or copied.",
            "Save or copy it again (close the file that you dump into), then register the model again.",
        )
    if _OTHER.match(raised.message):
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
