"""run() was given other data than it wants: the caller and the script do not agree."""

from __future__ import annotations

import re

from estiva.diagnosis import wording
from estiva.diagnosis.runs import Raised
from estiva.records import Evidence, Finding, Traceback

_SHAPES = (
    r"X has (?P<got>\d+) features?, but .+ is expecting (?P<wanted>\d+) features?",
    r"Feature shape mismatch, expected: (?P<wanted>\d+), got (?P<got>\d+)",
    r"number of features in data \((?P<got>\d+)\) is not the same as .+ training data \((?P<wanted>\d+)\)",
    r"Expected 2D array, got (?P<flat>\dD|scalar) array",
    (
        r"Expected \d+-?[dD]|expected \d+ dim|shapes \(.*\) and \(.*\) not aligned|could not be broadcast|"
        r"cannot be multiplied|Got invalid dimensions for input|setting an array element with a sequence|"
        r"incompatible with the layer|Found array with 0|matmul: Input operand"
    ),
)
_VALUE = r"could not convert string to float|Input X contains (?:NaN|infinity)|invalid literal for"
_TYPE = r"indices must be integers|'\w+' object (?:is not subscriptable|does not support)|has no attribute"


def check(evidence: Evidence, failure: Raised) -> Finding | None:
    raised = failure.raised
    said = _said(raised, failure.given)
    if said is None:
        return None
    what, why, todo = said
    example = (f"A request that works: {evidence.example}",) if evidence.example else ()
    return Finding(
        code="InputWrong",
        title=wording.title(raised, f"run() was given {what}"),
        what=wording.private(raised),
        why=why,
        evidence=(*wording.located(raised), failure.quoted),
        todo=(*example, *todo),
        certainty=0.98,
    )


def _said(raised: Traceback, given: str) -> tuple[str, str, tuple[str, ...]] | None:
    name = raised.exception.rsplit(".", 1)[-1]
    if name == "JSONDecodeError":
        return (
            "what is not JSON",
            f"The script parses the request's body, which was {given or 'something else'}.",
            ("Send JSON: json.dumps(...) in Python, `--data-binary @sample.json` with curl.",),
        )
    if (
        name == "KeyError"
        and "environ" not in raised.source
        and given.startswith(("an object", "an empty object"))
    ):
        return (
            f"an object without {raised.message}",
            f"The script takes {raised.message} from the request, which was {given}.",
            (f"Send it, or let the script do without: data.get({raised.message}).",),
        )
    if name in ("TypeError", "AttributeError") and re.search(_TYPE, raised.message):
        return _other_type(given)
    if name in ("ValueError", "RuntimeError", "InvalidArgument", "XGBoostError", "LightGBMError"):
        return _other_shape(raised, given)
    return None


def _other_type(given: str) -> tuple[str, str, tuple[str, ...]] | None:
    if given == "a string":
        return (
            "a string with JSON in it",
            "The caller encoded the data twice: json.dumps() of what was JSON already.",
            ("Encode it once: requests.post(url, json=data), and not json=json.dumps(data).",),
        )
    if given.startswith(("a list", "an empty list", "a number", "null")):
        return (given, "The script wants an object with named members.", ('Send it as {"data": ...}.',))
    return None


def _other_shape(raised: Traceback, given: str) -> tuple[str, str, tuple[str, ...]] | None:
    for pattern in _SHAPES:
        found = re.search(pattern, raised.message)
        if found is None:
            continue
        groups = found.groupdict()
        if groups.get("wanted"):
            return (
                f"rows of {groups['got']} numbers, and the model wants {groups['wanted']}",
                f"The model was trained with {groups['wanted']} columns; the request was {given}.",
                (f"Send rows of {groups['wanted']} numbers, in the order of the training data.",),
            )
        return (
            "data of the wrong shape",
            f"The request was {given}.",
            ("Send a list of rows, each a list of numbers, also for a single row: [[1.0, 2.0]].",),
        )
    if re.search(_VALUE, raised.message):
        return (
            "a value that is no number",
            f"The request was {given}; the model computes with numbers only.",
            ("Convert text, empty values and NaN before the call, or in run().",),
        )
    return None
